"""RAdam."""

from typing import ClassVar, Literal

from service.spec.entry import Decoupled, Entry, Eps, Memory1, Memory2, WeightDecay
from service.spec.literature import ICLR
from service.spec.references import Reference, cite

LIU_2020 = Reference(
    "liu2020",
    ("Liyuan Liu", "Haoming Jiang", "Pengcheng He", "Weizhu Chen", "Xiaodong Liu", "Jianfeng Gao", "Jiawei Han"),
    "On the Variance of the Adaptive Learning Rate and Beyond", 2020, conference=ICLR,
)  # fmt: skip


class RAdam(Entry):
    """Adam that steps like momentum while its mean of squares covers few gradients, then with a computed warm-up."""

    title: ClassVar = "RAdam"
    formula: ClassVar = "w ← w − lr·rₜ·m̂ / (√v̂ + ε) where ρₜ > 5, else w ← w − lr·m̂"
    reference: ClassVar = cite(LIU_2020)
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"
    torch_class: ClassVar = "torch.optim.RAdam"
    own_state: ClassVar = {"m": 0, "v": 0}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "m = beta1*m + (1 - beta1)*d",
        "v = beta2*v + (1 - beta2)*d**2",
        "longest = 2/(1 - beta2) - 1",
        "rho = longest - 2*t*beta2**t/(1 - beta2**t)",
        "r = sqrt((rho - 4)*(rho - 2)*longest/((longest - 4)*(longest - 2)*rho)*(1 - beta2**t))",
        "w = w - lr*m/(1 - beta1**t)*where(rho > 5, r/(sqrt(v) + eps), 1)",
    )

    kind: Literal["radam"]
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    decoupled_weight_decay: Decoupled = False
