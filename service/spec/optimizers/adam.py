"""Adam and AdamW."""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.entry import Decoupled, DecoupledDecay, Entry, Eps, Memory1, Memory2, WeightDecay
from service.spec.literature import KINGMA_2015, LOSHCHILOV_2019, REDDI_2018
from service.spec.references import cite


class Adam(Entry):
    """Divide a running mean of gradients by the root of a running mean of their squares, parameter by parameter."""

    title: ClassVar = "Adam"
    formula: ClassVar = "m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;  w ← w − lr·m̂ / (√v̂ + ε)"
    reference: ClassVar = cite(KINGMA_2015, "; amsgrad: ", REDDI_2018)
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"
    torch_class: ClassVar = "torch.optim.Adam"

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

    kind: Literal["adamw"]
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    weight_decay: DecoupledDecay = 0.01
    amsgrad: bool = Field(False, description="Divide by the largest mean of squares so far.")
