"""RMSprop."""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.entry import Beta, Entry, Eps, WeightDecay
from service.spec.literature import GRAVES_2013, TIELEMAN_2012
from service.spec.references import cite


class RMSprop(Entry):
    """Divide the gradient by the root of a running mean of its squares."""

    title: ClassVar = "RMSprop"
    formula: ClassVar = "v ← α·v + (1 − α)·g²;  w ← w − lr·g / (√v + ε)"
    reference: ClassVar = cite(TIELEMAN_2012, "; centered: ", GRAVES_2013)
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "torch.optim.RMSprop"

    kind: Literal["rmsprop"]
    alpha: Beta = Field(0.99, description="Memory of the mean of squared gradients.")
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    momentum: Beta = Field(0.0, description="Share of the velocity that is kept at each update.")
    centered: bool = Field(False, description="Divide by an estimate of the standard deviation instead.")
