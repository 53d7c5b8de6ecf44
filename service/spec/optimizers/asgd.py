"""Averaged stochastic gradient descent."""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.entry import Entry, NotNegative, WeightDecay
from service.spec.references import Reference, cite

POLYAK_1992 = Reference(
    "polyak1992", ("Boris T. Polyak", "Anatoli B. Juditsky"),
    "Acceleration of Stochastic Approximation by Averaging", 1992,
    journal="SIAM Journal on Control and Optimization", volume="30", pages="838-855",
)  # fmt: skip


class ASGD(Entry):
    """Gradient descent with a slowly falling rate, whose result is the mean of the points since update t0."""

    title: ClassVar = "Averaged stochastic gradient descent"
    short_name: ClassVar = "ASGD"
    formula: ClassVar = "w ← (1 − λ·η)·w − η·g;  a ← a + μ·(w − a);  η = lr / (1 + λ·lr·t)^α;  μ = 1 / max(1, t − t0)"
    reference: ClassVar = cite(POLYAK_1992)
    state_per_parameter: ClassVar = 1
    torch_class: ClassVar = "torch.optim.ASGD"
    torch_notes: ClassVar = ("the result is the mean 'ax' in the state of each parameter",)

    kind: Literal["asgd"]
    lambd: NotNegative = Field(1e-4, description="λ: decay of the learning rate and of the weights.")
    alpha: NotNegative = Field(0.75, description="α: power of time with which the rate falls.")
    t0: NotNegative = Field(1e6, description="Update after which the points are averaged.")
    weight_decay: WeightDecay = 0.0
