"""Quasi-hyperbolic momentum (QHM)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.entry import Beta, Entry, WeightDecay
from service.spec.fields import Grid, Within
from service.spec.literature import ICLR
from service.spec.references import Reference, cite

MA_2019 = Reference(
    "ma2019", ("Jerry Ma", "Denis Yarats"), "Quasi-Hyperbolic Momentum and Adam for Deep Learning", 2019,
    conference=ICLR,
)  # fmt: skip


class QuasiHyperbolic(Entry):
    """Step between gradient descent and momentum: a share of a running mean, the rest of the newest gradient."""

    title: ClassVar = "Quasi-hyperbolic momentum (QHM)"
    short_name: ClassVar = "QHM"
    formula: ClassVar = "m ← β·m + (1 − β)·g;  w ← w − lr·((1 − ν)·g + ν·m)"
    reference: ClassVar = cite(MA_2019)
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "pytorch_optimizer.QHM"
    torch_defaults: ClassVar = {"momentum": 0.0, "nu": 1.0}
    own_state: ClassVar = {"m": 0}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "m = momentum*m + (1 - momentum)*d",
        "w = w - lr*((1 - nu)*d + nu*m)",
    )

    kind: Literal["quasi_hyperbolic"]
    momentum: Beta = Field(0.999, description="β: memory of the mean of gradients.")
    nu: Annotated[Grid, Within(ge=0, le=1)] = Field(0.7, description="ν: share of the mean in the step.")
    weight_decay: WeightDecay = 0.0
