"""NAdam."""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.entry import Decoupled, Entry, Eps, Memory1, Memory2, NotNegative, WeightDecay
from service.spec.literature import ICLR
from service.spec.references import Reference, cite

DOZAT_2016 = Reference(
    "dozat2016", ("Timothy Dozat",), "Incorporating Nesterov Momentum into Adam", 2016,
    conference=f"{ICLR}, Workshop Track",
)  # fmt: skip


class NAdam(Entry):
    """Adam with Nesterov's look-ahead, and a momentum that grows from half of beta1 to beta1."""

    title: ClassVar = "NAdam"
    formula: ClassVar = "m, v as Adam's;  w ← w − lr·((1 − μₜ)/(1 − Πμ)·g + μₜ₊₁/(1 − Πμ·μₜ₊₁)·m) / (√v̂ + ε)"
    reference: ClassVar = cite(DOZAT_2016)
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"
    torch_class: ClassVar = "torch.optim.NAdam"
    own_state: ClassVar = {"m": 0, "v": 0, "product": 1}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "m = beta1*m + (1 - beta1)*d",
        "v = beta2*v + (1 - beta2)*d**2",
        "mu = beta1*(1 - 0.5*0.96**(t*momentum_decay))",
        "next = beta1*(1 - 0.5*0.96**((t + 1)*momentum_decay))",
        "product = product*mu",
        "step = (1 - mu)/(1 - product)*d + next/(1 - product*next)*m",
        "w = w - lr*step/(sqrt(v/(1 - beta2**t)) + eps)",
    )

    kind: Literal["nadam"]
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    momentum_decay: NotNegative = Field(
        0.004, description="Speed at which the momentum grows: μₜ = β₁·(1 − ½·0.96^(t·momentum_decay))."
    )
    decoupled_weight_decay: Decoupled = False
