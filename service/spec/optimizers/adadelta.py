"""Adadelta."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.entry import Beta, Entry, Positive, WeightDecay
from service.spec.references import Reference, cite

ZEILER_2012 = Reference(
    "zeiler2012", ("Matthew D. Zeiler",), "ADADELTA: An Adaptive Learning Rate Method", 2012,
    published="arXiv:1212.5701",
)  # fmt: skip


class Adadelta(Entry):
    """Step in the units of the weights, from the ratio of past steps to past gradients. The paper has lr = 1."""

    title: ClassVar = "Adadelta"
    formula: ClassVar = "v ← ρ·v + (1 − ρ)·g²;  Δ = √(u + ε)/√(v + ε)·g;  u ← ρ·u + (1 − ρ)·Δ²;  w ← w − lr·Δ"
    reference: ClassVar = cite(ZEILER_2012)
    state_per_parameter: ClassVar = 2
    torch_class: ClassVar = "torch.optim.Adadelta"
    own_state: ClassVar = {"s": 0, "u": 0}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "s = rho*s + (1 - rho)*d**2",
        "step = sqrt(u + eps)/sqrt(s + eps)*d",
        "u = rho*u + (1 - rho)*step**2",
        "w = w - lr*step",
    )

    kind: Literal["adadelta"]
    rho: Beta = Field(0.9, description="ρ: memory of the means of squared gradients and steps.")
    eps: Annotated[Positive, Field(description="Length of the first steps: about √eps.")] = 1e-6
    weight_decay: WeightDecay = 0.0
