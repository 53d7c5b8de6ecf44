"""What do all schedules share, and when does one not fit a job?

A schedule gives a factor of the optimizer's own value. All kinds use one vocabulary: ``warmup_steps``,
``decay_steps``, ``final_fraction``, and what a step is, an update or an epoch.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from service.spec.fields import Strict

MAX_STEPS = 1_000_000_000_000
Steps = Annotated[int, Field(ge=1, le=MAX_STEPS)]
# Above 1 a schedule lifts the value, as one-cycle does to the momentum.
Fraction = Annotated[float, Field(ge=0, le=1_000)]
Factor = Annotated[float, Field(gt=0, le=1_000)]

# Where a schedule is wrong for a job: the field, and what is allowed.
Misfit = tuple[str, str]


class WithWarmUp(Strict):
    """What all schedules share: the unit of time, and a linear warm-up before the schedule's own course."""

    title: ClassVar[str]
    formula: ClassVar[str]
    reference: ClassVar[str]

    kind: str = Field(description="The schedule's name.")
    per: Literal["update", "epoch"] = Field("update", description="What a step is: an update or an epoch.")
    warmup_steps: int = Field(
        0, ge=0, le=MAX_STEPS, description="Steps of a linear warm-up before the schedule's own course begins."
    )
    initial_fraction: Fraction = Field(1 / 3, description="What the warm-up starts from, as a fraction of the value.")

    def own(self, num_steps: int) -> dict[str, Any]:
        """Give the schedule's own settings in a job of so many steps, where what was left out follows from the job."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in WithWarmUp.model_fields}

    def warmup(self, num_steps: int) -> dict[str, Any]:
        """Give the settings of the warm-up."""
        return {"warmup_steps": self.warmup_steps, "initial_fraction": self.initial_fraction}

    def misfits(self, num_steps: int) -> Iterator[Misfit]:
        """Say what does not fit into a job of so many steps, field by field."""
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
        """Bound the factors in a job of so many steps."""
        before = self.initial_fraction if self.warmup(num_steps)["warmup_steps"] else 1.0
        return max(before, 1.0, self._last(num_steps))

    def _last(self, num_steps: int) -> float:
        return float(getattr(self, "final_fraction", 1.0))

    def _left(self, num_steps: int) -> int:
        """Count the steps after the warm-up, at least one."""
        return max(1, num_steps - self.warmup_steps)
