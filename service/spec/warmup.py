"""Common fields of schedules: the unit of a step, a warm-up, and the check whether a schedule fits a job.

A schedule is a factor of the optimizer's own value. All kinds use the same names: ``warmup_steps``, ``decay_steps``,
``final_fraction``, and ``per``: a step is an update or an epoch.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from service.spec.fields import Strict

MAX_STEPS = 1_000_000_000_000
Steps = Annotated[int, Field(ge=1, le=MAX_STEPS)]
# Above 1 a schedule raises the value, as one-cycle does to the momentum.
Fraction = Annotated[float, Field(ge=0, le=1_000)]
Factor = Annotated[float, Field(gt=0, le=1_000)]

# A field of a schedule that does not fit a job, and what is allowed.
Misfit = tuple[str, str]


class WarmUp(Strict):
    """Base of schedules: the unit of a step, and a linear warm-up before the schedule."""

    title: ClassVar[str]
    formula: ClassVar[str]
    reference: ClassVar[str]

    kind: str = Field(description="The schedule's name.")
    per: Literal["update", "epoch"] = Field("update", description="Unit of a step: an update or an epoch.")
    warmup_steps: int = Field(
        0, ge=0, le=MAX_STEPS, description="Steps of a linear warm-up before the schedule begins."
    )
    initial_fraction: Fraction = Field(1 / 3, description="Start of the warm-up, as a fraction of the value.")

    def parameters(self, num_steps: int) -> dict[str, Any]:
        """Give the parameters of the schedule in a job of this many steps, with defaults that depend on the job."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in WarmUp.model_fields}

    def warmup(self, num_steps: int) -> dict[str, Any]:
        """Give the parameters of the warm-up."""
        return {"warmup_steps": self.warmup_steps, "initial_fraction": self.initial_fraction}

    def misfits(self, num_steps: int) -> Iterator[Misfit]:
        """List the fields that do not fit a job of this many steps."""
        unit = f"{self.per}s"
        field = "warmup_steps"
        needed = self.warmup_steps
        for name in ("stable_steps", "decay_steps"):
            given = getattr(self, name, None)
            if given is not None:
                field, needed = name, needed + given
        if needed > num_steps:
            most = num_steps - needed + (getattr(self, field) or 0)
            yield (
                field,
                f"the schedule takes {needed:,} {unit} and the job has {num_steps:,}: must be at most {max(most, 0):,}",
            )

    def highest(self, num_steps: int) -> float:
        """Give an upper bound of the factors in a job of this many steps."""
        before = self.initial_fraction if self.warmup(num_steps)["warmup_steps"] else 1.0
        return max(before, 1.0, self._last(num_steps))

    def _last(self, num_steps: int) -> float:
        return float(getattr(self, "final_fraction", 1.0))

    def _left(self, num_steps: int) -> int:
        """Count the steps after the warm-up, at least one."""
        return max(1, num_steps - self.warmup_steps)
