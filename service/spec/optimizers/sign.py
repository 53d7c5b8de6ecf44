"""signSGD and Lion, which use the sign of a gradient and not its size."""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.entry import Beta, DecoupledDecay, Entry
from service.spec.literature import ICML, NEURIPS
from service.spec.references import Reference, cite

BERNSTEIN_2018 = Reference(
    "bernstein2018", ("Jeremy Bernstein", "Yu-Xiang Wang", "Kamyar Azizzadenesheli", "Anima Anandkumar"),
    "signSGD: Compressed Optimisation for Non-Convex Problems", 2018, conference=ICML,
)  # fmt: skip
CHEN_2023 = Reference(
    "chen2023", ("Xiangning Chen",), "Symbolic Discovery of Optimization Algorithms", 2023, conference=NEURIPS,
    others=True,
)  # fmt: skip


class SignSGD(Entry):
    """Move every parameter by lr in the direction of its gradient's sign, or of its running mean's (Signum)."""

    title: ClassVar = "signSGD and Signum"
    short_name: ClassVar = "signSGD"
    formula: ClassVar = "m ← β·m + (1 − β)·g;  w ← w − lr·sign(m)"
    reference: ClassVar = cite(BERNSTEIN_2018)
    state_per_parameter: ClassVar = 0
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "pytorch_optimizer.SignSGD"
    torch_defaults: ClassVar = {"momentum": 0.9}
    own_state: ClassVar = {"m": 0}
    own_update: ClassVar = (
        "m = momentum*m + (1 - momentum)*g",
        "w = (1 - lr*weight_decay)*w - lr*sign(m)",
    )

    kind: Literal["sign_sgd"]
    momentum: Beta = Field(0.0, description="β: memory of the mean of gradients; 0 takes the sign of the gradient.")
    weight_decay: DecoupledDecay = 0.0


class Lion(Entry):
    """Move by the sign of a mean in which the newest gradient has a larger weight than in the stored mean."""

    title: ClassVar = "Lion"
    formula: ClassVar = "w ← w − lr·sign(β₁·m + (1 − β₁)·g);  m ← β₂·m + (1 − β₂)·g"
    reference: ClassVar = cite(CHEN_2023)
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "beta1"
    torch_class: ClassVar = "pytorch_optimizer.Lion"
    own_state: ClassVar = {"m": 0}
    own_update: ClassVar = (
        "direction = sign(beta1*m + (1 - beta1)*g)",
        "w = (1 - lr*weight_decay)*w - lr*direction",
        "m = beta2*m + (1 - beta2)*g",
    )

    kind: Literal["lion"]
    beta1: Beta = Field(0.9, description="Weight of the stored mean in the step.")
    beta2: Beta = Field(0.99, description="Memory of the mean of gradients.")
    weight_decay: DecoupledDecay = 0.0
