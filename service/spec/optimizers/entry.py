"""What do the entries of a job's optimizers share: a label, a rate, schedules, clipping?"""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from service.spec.fields import NO_ZERO_CHARACTER, Grid, Strict, Within
from service.spec.schedules import Constant, Schedule

LearningRate = Annotated[
    Grid, Within(gt=0), Field(description="Learning rate: the length of a step per unit of gradient.")
]
Beta = Annotated[Grid, Within(ge=0, lt=1)]
NotNegative = Annotated[Grid, Within(ge=0)]
Positive = Annotated[Grid, Within(gt=0)]
WeightDecay = Annotated[NotNegative, Field(description="Adds weight_decay × w to the gradient (an L2 penalty).")]
DecoupledDecay = Annotated[
    NotNegative, Field(description="Share of the weights, times lr, that is taken off at each update.")
]
Decoupled = Annotated[
    bool, Field(description="Take weight decay off the weights directly instead of adding it to the gradient.")
]
Eps = Annotated[NotNegative, Field(description="Added to the denominator, so that it never is zero.")]
Memory1 = Annotated[Beta, Field(description="Memory of the mean of gradients.")]
Memory2 = Annotated[Beta, Field(description="Memory of the mean of squared gradients.")]
Limit = Annotated[float, Field(gt=0)]


class Entry(Strict):
    """One entry of a job's optimizers: a kind, its hyper-parameters (numbers, lists or ranges), a label."""

    title: ClassVar[str]
    formula: ClassVar[str]
    reference: ClassVar[str]
    # How many numbers the method keeps for each parameter besides the parameter itself, at most, unless a flag or a
    # momentum asks for more.
    state_per_parameter: ClassVar[int]
    # The hyper-parameter that a momentum schedule multiplies; None where the method has none.
    scheduled_momentum: ClassVar[str | None] = None
    needs_matrices: ClassVar[bool] = False

    kind: str = Field(description="The optimizer's name.")
    label: str | None = Field(
        None,
        pattern=NO_ZERO_CHARACTER,
        min_length=1,
        max_length=100,
        description="What its runs are called; by default the kind.",
    )
    lr: LearningRate
    maximize: bool = Field(False, description="Climb instead of descend: the gradient's sign is turned.")
    clip_norm: Limit | None = Field(
        None, description="Longest gradient; one that is longer is scaled down to it, run by run. null is no limit."
    )
    clip_value: Limit | None = Field(
        None, description="Largest component of a gradient, cut off before clip_norm looks at it. null is no limit."
    )
    schedule: Schedule = Field(Constant(), description="How the learning rate changes during a run.")
    momentum_schedule: Schedule = Field(Constant(), description="How the momentum changes during a run.")

    def grids(self) -> dict[str, Any]:
        """Give the numeric hyper-parameters, each a number, a list or a range, in the order in which they nest."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in _NOT_NUMERIC}

    def flags(self) -> dict[str, bool]:
        """Give the switches, which are the same for every run of the entry."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in _FLAGS}

    def clipping(self) -> dict[str, float]:
        """Give the limits of the gradient that are set, the same for every run of the entry."""
        limits = {"clip_norm": self.clip_norm, "clip_value": self.clip_value}
        return {name: limit for name, limit in limits.items() if limit is not None}


_FLAGS = {"maximize", "amsgrad", "centered", "decoupled_weight_decay", "nesterov", "match_rms_adamw"}
_NOT_NUMERIC = _FLAGS | {"kind", "label", "clip_norm", "clip_value", "schedule", "momentum_schedule"}
