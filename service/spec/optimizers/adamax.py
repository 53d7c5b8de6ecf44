"""Adamax."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.entry import Beta, Entry, Memory1, NotNegative, WeightDecay
from service.spec.literature import KINGMA_2015
from service.spec.references import cite


class Adamax(Entry):
    """Adam with the largest recent gradient in place of the root mean square."""

    title: ClassVar = "Adamax"
    formula: ClassVar = "m ← β₁·m + (1 − β₁)·g;  u ← max(β₂·u, |g| + ε);  w ← w − lr·m̂ / u"
    reference: ClassVar = cite(KINGMA_2015, ", section 7.1")
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"
    torch_class: ClassVar = "torch.optim.Adamax"
    own_state: ClassVar = {"m": 0, "u": 0}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "m = beta1*m + (1 - beta1)*d",
        "u = max(beta2*u, abs(d) + eps)",
        "w = w - lr/(1 - beta1**t)*m/u",
    )

    kind: Literal["adamax"]
    beta1: Memory1 = 0.9
    beta2: Beta = Field(0.999, description="Memory of the largest gradient.")
    eps: Annotated[
        NotNegative, Field(description="Added to the absolute value of each gradient, so that it is never zero.")
    ] = 1e-8
    weight_decay: WeightDecay = 0.0
