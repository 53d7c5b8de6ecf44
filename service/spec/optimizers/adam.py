"""Adam and AdamW."""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.entry import Decoupled, DecoupledDecay, Entry, Eps, Memory1, Memory2, WeightDecay
from service.spec.literature import ICLR, KINGMA_2015
from service.spec.references import Reference, cite

LOSHCHILOV_2019 = Reference(
    "loshchilov2019", ("Ilya Loshchilov", "Frank Hutter"), "Decoupled Weight Decay Regularization", 2019,
    conference=ICLR,
)  # fmt: skip
REDDI_2018 = Reference(
    "reddi2018", ("Sashank J. Reddi", "Satyen Kale", "Sanjiv Kumar"), "On the Convergence of Adam and Beyond", 2018,
    conference=ICLR,
)  # fmt: skip


class Adam(Entry):
    """Divide a running mean of gradients by the root of a running mean of their squares, parameter by parameter."""

    title: ClassVar = "Adam"
    formula: ClassVar = "m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;  w ← w − lr·m̂ / (√v̂ + ε)"
    reference: ClassVar = cite(KINGMA_2015, "; amsgrad: ", REDDI_2018)
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"
    torch_class: ClassVar = "torch.optim.Adam"
    own_state: ClassVar = {"m": 0, "v": 0}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "m = beta1*m + (1 - beta1)*d",
        "v = beta2*v + (1 - beta2)*d**2",
        "w = w - lr*(m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps)",
    )

    kind: Literal["adam"]
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    amsgrad: bool = Field(False, description="Divide by the largest mean of squares so far.")
    decoupled_weight_decay: Decoupled = False


class AdamW(Entry):
    """Adam with weight decay subtracted from the weights instead of added to the gradient."""

    title: ClassVar = "AdamW"
    formula: ClassVar = "w ← w − lr·weight_decay·w;  then Adam's step"
    reference: ClassVar = cite(LOSHCHILOV_2019)
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"
    torch_class: ClassVar = "torch.optim.AdamW"
    own_state: ClassVar = {"m": 0, "v": 0}
    own_update: ClassVar = (
        "m = beta1*m + (1 - beta1)*g",
        "v = beta2*v + (1 - beta2)*g**2",
        "step = (m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps)",
        "w = (1 - lr*weight_decay)*w - lr*step",
    )

    kind: Literal["adamw"]
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    weight_decay: DecoupledDecay = 0.01
    amsgrad: bool = Field(False, description="Divide by the largest mean of squares so far.")
