"""Checks of an entry of the optimizers against the rest of the job."""

from collections.abc import Iterator

from service.spec.entry import Entry
from service.spec.fields import ends_of
from service.spec.warmup import WarmUp

Location = tuple[str, ...]


def misfits(entry: Entry, updates: int, epochs: int, *, has_matrices: bool) -> Iterator[tuple[Location, str]]:
    """List the values that do not fit the job: location within the entry, and what is allowed there."""
    if entry.needs_matrices and not has_matrices:
        yield ("kind",), f"{entry.kind} needs a problem with matrices of weights, such as flipnet"
    for part, schedule in (("schedule", entry.schedule), ("momentum_schedule", entry.momentum_schedule)):
        for field, message in schedule.misfits(_steps(schedule, updates, epochs)):
            yield (part, field), message
    momentum = entry.momentum_schedule
    if momentum.kind == "constant" and not momentum.warmup_steps:
        return
    name = entry.momentum_name
    if name is None:
        yield ("momentum_schedule",), f"must be constant: {entry.kind} has no momentum"
        return
    if entry.kind == "formula":
        return  # Its parameters have no range.
    largest = max(ends_of(entry.grids()[name]))
    raised = largest * momentum.highest(_steps(momentum, updates, epochs))
    if raised >= 1:
        yield (
            ("momentum_schedule",),
            f"raises {name} from {largest:g} to {raised:g}; it must stay below 1",
        )


def _steps(schedule: WarmUp, updates: int, epochs: int) -> int:
    return epochs if schedule.per == "epoch" else updates
