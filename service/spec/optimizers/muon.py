"""Muon, with AdamW for parameters that are not matrices."""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.entry import Beta, DecoupledDecay, Entry, Eps, Memory1, Memory2, NotNegative, Positive
from service.spec.references import Reference, cite

JORDAN_2024 = Reference(
    "jordan2024", ("Keller Jordan",), "Muon: An Optimizer for Hidden Layers in Neural Networks", 2024, others=True,
    url="https://kellerjordan.github.io/posts/muon/",
)  # fmt: skip
LIU_2025 = Reference(
    "liu2025", ("Jingyuan Liu",), "Muon is Scalable for LLM Training", 2025, published="arXiv:2502.16982", others=True,
)  # fmt: skip


class Muon(Entry):
    """Make the momentum of every matrix nearly orthogonal before the step; AdamW trains what is not a matrix."""

    title: ClassVar = "Muon, with AdamW for vectors"
    short_name: ClassVar = "Muon"
    formula: ClassVar = "m ← β·m + (1 − β)·g;  u = NewtonSchulz((1 − β)·g + β·m);  w ← w − lr·√max(1, rows/columns)·u"
    reference: ClassVar = cite(JORDAN_2024, "; match_rms_adamw: ", LIU_2025)
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "momentum"
    needs_matrices: ClassVar = True
    torch_class: ClassVar = "torch.optim.Muon"
    torch_notes: ClassVar = ("step both optimizers", "torch orthogonalizes in bfloat16")

    kind: Literal["muon"]
    momentum: Beta = Field(0.95, description="β: memory of the mean of a matrix's gradients.")
    weight_decay: DecoupledDecay = 0.1
    nesterov: bool = Field(True, description="Add the newest gradient to the momentum in the step.")
    match_rms_adamw: bool = Field(
        False, description="Scale steps by 0.2·√max(rows, columns), so that rates tuned for AdamW fit."
    )
    adamw_lr: Positive = Field(1e-3, description="Learning rate of AdamW; the schedule multiplies it too.")
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    adamw_weight_decay: NotNegative = Field(
        0.01, description="Share of vectors, times adamw_lr, subtracted at each update."
    )
