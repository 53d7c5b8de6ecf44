"""Rprop."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.entry import Entry, NotNegative, Positive
from service.spec.fields import Grid, Within
from service.spec.references import Reference, cite

RIEDMILLER_1993 = Reference(
    "riedmiller1993", ("Martin Riedmiller", "Heinrich Braun"),
    "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm", 1993,
    conference="IEEE International Conference on Neural Networks", pages="586-591",
)  # fmt: skip


class Rprop(Entry):
    """Step by the sign of the gradient; steps grow while it stays and shrink when it turns. For full batches."""

    title: ClassVar = "Rprop"
    formula: ClassVar = "Δ ← η₊·Δ if g·g₋₁ > 0, η₋·Δ and g ← 0 if < 0;  w ← w − Δ·sign(g)"
    reference: ClassVar = cite(RIEDMILLER_1993)
    state_per_parameter: ClassVar = 2
    torch_class: ClassVar = "torch.optim.Rprop"
    own_state: ClassVar = {"previous": 0, "step": 0}
    own_update: ClassVar = (
        "turn = g*previous",
        "factor = where(turn > 0, eta_plus, where(turn < 0, eta_minus, 1))",
        "step = min(max(where(t == 1, lr, step)*factor, step_min), step_max)",
        "previous = where(turn < 0, 0, g)",
        "w = w - step*sign(previous)",
    )

    kind: Literal["rprop"]
    eta_minus: Annotated[Grid, Within(gt=0, lt=1)] = Field(0.5, description="Factor of a step whose sign has turned.")
    eta_plus: Annotated[Grid, Within(gt=1)] = Field(1.2, description="Factor of a step whose sign has stayed.")
    step_min: NotNegative = Field(1e-6, description="Shortest step.")
    step_max: Positive = Field(50.0, description="Longest step.")
