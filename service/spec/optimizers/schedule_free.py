"""Schedule-free SGD and AdamW."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.entry import Entry, Eps, Memory2, NotNegative, WeightDecay
from service.spec.fields import Grid, Within
from service.spec.literature import NEURIPS
from service.spec.references import Reference, cite

Between = Annotated[Grid, Within(gt=0, lt=1)]
TimePower = Annotated[
    NotNegative, Field(description="Weight of point t in the mean: t^r; 0 is an equal weight for all.")
]
RatePower = Annotated[
    NotNegative, Field(description="Weight of a point: the largest learning rate so far to this power.")
]
_EVALUATION = "call the optimizer's eval() before an evaluation and its train() after it"

DEFAZIO_2024 = Reference(
    "defazio2024",
    ("Aaron Defazio", "Xingyu Alice Yang", "Harsh Mehta", "Konstantin Mishchenko", "Ahmed Khaled", "Ashok Cutkosky"),
    "The Road Less Scheduled", 2024, conference=NEURIPS,
)  # fmt: skip


class ScheduleFreeSGD(Entry):
    """Descend with one point, take the weighted mean of its positions as result, and take gradients between the two."""

    title: ClassVar = "Schedule-free SGD"
    formula: ClassVar = "y = (1 − β)·z + β·x;  z ← z − lr·∇f(y);  x ← (1 − c)·x + c·z"
    reference: ClassVar = cite(DEFAZIO_2024)
    state_per_parameter: ClassVar = 1
    torch_class: ClassVar = "pytorch_optimizer.ScheduleFreeSGD"
    torch_notes: ClassVar = (_EVALUATION,)

    kind: Literal["schedule_free_sgd"]
    momentum: Between = Field(
        0.9, description="β: position between z and x at which gradients are taken. It cannot be scheduled."
    )
    weight_decay: WeightDecay = 0.0
    r: TimePower = 0.0
    weight_lr_power: RatePower = 2.0


class ScheduleFreeAdamW(Entry):
    """Schedule-free averaging around steps in units of the root mean square."""

    title: ClassVar = "Schedule-free AdamW"
    formula: ClassVar = "y = (1 − β₁)·z + β₁·x;  z ← z − lr·(g/(√v̂ + ε) + weight_decay·y);  x ← (1 − c)·x + c·z"
    reference: ClassVar = cite(DEFAZIO_2024)
    state_per_parameter: ClassVar = 2
    torch_class: ClassVar = "pytorch_optimizer.ScheduleFreeAdamW"
    torch_notes: ClassVar = (_EVALUATION, "the package adds 1e-15 to the mean of squares")

    kind: Literal["schedule_free_adamw"]
    beta1: Between = Field(
        0.9, description="β₁: position between z and x at which gradients are taken. It cannot be scheduled."
    )
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    weight_decay: Annotated[NotNegative, Field(description="Adds weight_decay × y to the step.")] = 0.0
    r: TimePower = 0.0
    weight_lr_power: RatePower = 2.0
