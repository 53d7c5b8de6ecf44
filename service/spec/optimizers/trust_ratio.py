"""LARS and LAMB, where the rate of every tensor is proportional to its norm."""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.entry import Beta, Entry, Eps, Memory1, Memory2, NotNegative, Positive
from service.spec.literature import ICLR
from service.spec.references import Reference, cite

YOU_2017 = Reference(
    "you2017", ("Yang You", "Igor Gitman", "Boris Ginsburg"),
    "Large Batch Training of Convolutional Networks", 2017, published="arXiv:1708.03888",
)  # fmt: skip
YOU_2020 = Reference(
    "you2020", ("Yang You",), "Large Batch Optimization for Deep Learning: Training BERT in 76 Minutes", 2020,
    conference=ICLR, others=True,
)  # fmt: skip


class LARS(Entry):
    """Momentum in which no matrix moves by more than a share of its norm; vectors have plain momentum."""

    title: ClassVar = "LARS"
    formula: ClassVar = "g ← η·‖w‖ / (‖g‖ + λ·‖w‖)·(g + λ·w);  v ← β·v + g;  w ← w − lr·v"
    reference: ClassVar = cite(YOU_2017)
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "pytorch_optimizer.LARS"

    kind: Literal["lars"]
    momentum: Beta = Field(0.9, description="β: share of the velocity that is kept at each update.")
    weight_decay: NotNegative = Field(0.0, description="λ: adds weight_decay × w to the gradient of matrices.")
    trust_coefficient: Positive = Field(0.001, description="η: the share of its norm by which a matrix may move.")
    nesterov: bool = Field(False, description="Step along the predicted next velocity.")


class LAMB(Entry):
    """Step in Adam's direction, in every tensor by lr times the norm of the tensor."""

    title: ClassVar = "LAMB"
    formula: ClassVar = "u = m̂/(√v̂ + ε) + λ·w;  w ← w − lr·‖w‖/‖u‖·u"
    reference: ClassVar = cite(YOU_2020, ", algorithm 2, φ(z) = z")
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"
    # pytorch_optimizer.Lamb has no bias correction and limits the norm of the weights to 10.
    torch_class: ClassVar = None
    own_state: ClassVar = {"m": 0, "v": 0}
    own_update: ClassVar = (
        "m = beta1*m + (1 - beta1)*g",
        "v = beta2*v + (1 - beta2)*g**2",
        "u = (m/(1 - beta1**t))/(sqrt(v/(1 - beta2**t)) + eps) + weight_decay*w",
        "ratio = where(tensor_norm(w) > 0, where(tensor_norm(u) > 0, tensor_norm(w)/tensor_norm(u), 1), 1)",
        "w = w - lr*ratio*u",
    )

    kind: Literal["lamb"]
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-6
    weight_decay: NotNegative = Field(0.01, description="λ: adds weight_decay × w to the direction of the step.")
