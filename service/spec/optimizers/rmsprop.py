"""RMSprop."""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.entry import Beta, Entry, Eps, WeightDecay
from service.spec.references import Reference, cite

GRAVES_2013 = Reference(
    "graves2013", ("Alex Graves",), "Generating Sequences With Recurrent Neural Networks", 2013,
    published="arXiv:1308.0850",
)  # fmt: skip
TIELEMAN_2012 = Reference(
    "tieleman2012", ("Tijmen Tieleman", "Geoffrey Hinton"),
    "Lecture 6.5: Divide the Gradient by a Running Average of Its Recent Magnitude", 2012,
    published="Neural Networks for Machine Learning, Coursera",
)  # fmt: skip


class RMSprop(Entry):
    """Divide the gradient by the root of a running mean of its squares."""

    title: ClassVar = "RMSprop"
    formula: ClassVar = "v ← α·v + (1 − α)·g²;  w ← w − lr·g / (√v + ε)"
    reference: ClassVar = cite(TIELEMAN_2012, "; centered: ", GRAVES_2013)
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "torch.optim.RMSprop"
    own_state: ClassVar = {"s": 0, "v": 0}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "s = alpha*s + (1 - alpha)*d**2",
        "v = momentum*v + d/(sqrt(s) + eps)",
        "w = w - lr*v",
    )

    kind: Literal["rmsprop"]
    alpha: Beta = Field(0.99, description="Memory of the mean of squared gradients.")
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    momentum: Beta = Field(0.0, description="Share of the velocity that is kept at each update.")
    centered: bool = Field(False, description="Divide by an estimate of the standard deviation instead.")
