"""Description of the labels of a comparison: settings, tuning, and each one against the baseline."""

from typing import Any

from service.database.tables import Job
from service.findings.comparison.choice import Choice
from service.findings.comparison.judged import Judged, describe_pair, describe_speed_up
from service.findings.comparison.summary import describe_settings
from service.findings.comparison.table import Table
from service.findings.comparison.tuning import describe_chosen, describe_tuning
from service.spec.job import JobSpec


def describe_labels(
    job: Job, spec: JobSpec, table: Table, choice: Choice, found: Judged, base: int, target: float | None
) -> list[dict[str, Any]]:
    """Describe every entry of the spec with its settings that are compared."""
    described = describe_settings(spec, table, choice, choice.rows, target)
    at_row = {row: at for at, row in enumerate(choice.rows)}
    labels = []
    for number, settings in enumerate(table.runs.entries):
        rows = [row for row in table.rows_of(number) if row in at_row]
        labels.append({
            "label": settings.entry.label,
            "kind": settings.entry.kind,
            "num_settings": settings.num,
            "chosen": describe_chosen(job, table, rows[0]) if len(rows) == 1 else None,
            "tuning": describe_tuning(spec, table, choice, number),
            "settings": [
                {
                    **described[row],
                    "is_baseline": at_row[row] == base,
                    "against_baseline": _against(spec, table, choice, found, at_row[row], base),
                }
                for row in rows
            ],
        })  # fmt: skip
    return labels


def _against(
    spec: JobSpec, table: Table, choice: Choice, found: Judged, at: int, base: int
) -> dict[str, Any] | None:  # fmt: skip
    """Describe a label against the baseline; None for the baseline itself, or without rows of both."""
    if at == base or not {at, base} <= set(found.positions):
        return None
    one, other = found.positions.index(at), found.positions.index(base)
    speeds = {"speed_up": table.first_SN, "speed_up_settled": table.settled_SN}
    return {
        **describe_pair(found, one, other),
        **{name: describe_speed_up(spec, table, choice, epochs, at, base).as_dict() for name, epochs in speeds.items()},
    }
