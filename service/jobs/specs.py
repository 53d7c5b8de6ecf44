"""The spec of a stored job, read back."""

from collections.abc import Mapping
from typing import Any, Protocol

from service.spec.job import JobSpec


class HasSpec(Protocol):
    """A row or claim that has the stored spec of its job."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """The spec as JSON, validated when the job was accepted."""
        ...


def spec_of(stored: HasSpec) -> JobSpec:
    """Parse the stored spec of a job."""
    return JobSpec.model_validate(stored.spec, context={"is_stored": True})


def maximizes(stored: HasSpec) -> bool:
    """Check whether the runs of a job maximise the loss, without parsing the spec."""
    return bool(stored.spec["optimizers"][0].get("maximize"))
