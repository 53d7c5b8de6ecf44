"""The spec of a stored job, read back."""

from collections.abc import Mapping
from typing import Any, Protocol

from service.database.tables import Job
from service.spec.batches import batches_of
from service.spec.job import JobSpec
from service.spec.runs import Runs


class HasSpec(Protocol):
    """A row or claim that has the stored spec of its job."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """The spec as JSON, validated when the job was accepted."""
        ...


def spec_of(stored: HasSpec) -> JobSpec:
    """Parse the stored spec of a job."""
    return JobSpec.model_validate(stored.spec, context={"is_stored": True})


def runs_of(job: Job, *, at_most: bool = False) -> Runs:
    """List the runs of a stored job that are queued or trained so far; with ``at_most``, all that there can be."""
    spec = spec_of(job)
    if spec.decide is None or job.decision is None:
        return Runs(spec)
    num_seeds = job.decision["max_seeds"] if at_most else batches_of(spec).seeds(job.runs_total)
    return Runs(spec, num_seeds, chosen_settings(job.decision))


def chosen_settings(decision: Mapping[str, Any] | None) -> list[int] | None:
    """Give the settings that a job which decides trains after its first seeds; None for all settings."""
    return (decision or {}).get("chosen")


def maximizes(stored: HasSpec) -> bool:
    """Check whether the runs of a job maximise the loss, without parsing the spec."""
    return bool(stored.spec["optimizers"][0].get("maximize"))
