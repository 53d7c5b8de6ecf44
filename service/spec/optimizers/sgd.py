"""Gradient descent, momentum and Nesterov's method."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.entry import Beta, Entry, WeightDecay
from service.spec.fields import Grid, Within
from service.spec.literature import ICML
from service.spec.references import Reference, cite

NESTEROV_1983 = Reference(
    "nesterov1983", ("Yurii Nesterov",),
    "A Method of Solving a Convex Programming Problem with Convergence Rate O(1/k²)", 1983,
    journal="Soviet Mathematics Doklady", volume="27", pages="372-376",
)  # fmt: skip
POLYAK_1964 = Reference(
    "polyak1964", ("Boris T. Polyak",), "Some Methods of Speeding Up the Convergence of Iteration Methods", 1964,
    journal="USSR Computational Mathematics and Mathematical Physics", volume="4", pages="1-17",
)  # fmt: skip
ROBBINS_1951 = Reference(
    "robbins1951", ("Herbert Robbins", "Sutton Monro"), "A Stochastic Approximation Method", 1951,
    journal="The Annals of Mathematical Statistics", volume="22", pages="400-407",
)  # fmt: skip
SUTSKEVER_2013 = Reference(
    "sutskever2013", ("Ilya Sutskever", "James Martens", "George Dahl", "Geoffrey Hinton"),
    "On the Importance of Initialization and Momentum in Deep Learning", 2013, conference=ICML,
)  # fmt: skip


class SGD(Entry):
    """Step against the gradient of one mini-batch at a time."""

    title: ClassVar = "Stochastic gradient descent"
    short_name: ClassVar = "SGD"
    formula: ClassVar = "w ← w − lr·g"
    reference: ClassVar = cite(ROBBINS_1951)
    state_per_parameter: ClassVar = 0
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "torch.optim.SGD"
    own_state: ClassVar = {"v": 0}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "v = momentum*v + where(t == 1, 1, where(momentum == 0, 1, 1 - dampening))*d",
        "w = w - lr*v",
    )

    kind: Literal["sgd"]
    momentum: Beta = Field(0.0, description="Share of the velocity that is kept at each update; 0 is gradient descent.")
    dampening: Annotated[Grid, Within(ge=0, le=1)] = Field(
        0.0, description="Share of the gradient that is not added to the velocity."
    )
    weight_decay: WeightDecay = 0.0


class Momentum(Entry):
    """Gradient descent with a velocity: past gradients add up."""

    title: ClassVar = "Momentum (heavy ball)"
    short_name: ClassVar = "Momentum"
    formula: ClassVar = "v ← β·v + (1 − dampening)·g;  w ← w − lr·v"
    reference: ClassVar = cite(POLYAK_1964)
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "torch.optim.SGD"
    torch_defaults: ClassVar = {"momentum": 0.0}
    own_state: ClassVar = {"v": 0}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "v = momentum*v + where(t == 1, 1, 1 - dampening)*d",
        "w = w - lr*v",
    )

    kind: Literal["momentum"]
    momentum: Beta = Field(0.9, description="β: share of the velocity that is kept at each update.")
    dampening: Annotated[Grid, Within(ge=0, le=1)] = Field(
        0.0, description="Share of the gradient that is not added to the velocity; dampening = β averages gradients."
    )
    weight_decay: WeightDecay = 0.0


class Nesterov(Entry):
    """Momentum that steps along the predicted next velocity (torch's form, without dampening)."""

    title: ClassVar = "Nesterov's accelerated gradient"
    short_name: ClassVar = "Nesterov"
    formula: ClassVar = "v ← β·v + g;  w ← w − lr·(g + β·v)"
    reference: ClassVar = cite(NESTEROV_1983, "; this form: ", SUTSKEVER_2013)
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "torch.optim.SGD"
    torch_defaults: ClassVar = {"momentum": 0.0}
    own_state: ClassVar = {"v": 0}
    own_update: ClassVar = (
        "d = g + weight_decay*w",
        "v = momentum*v + d",
        "w = w - lr*(d + momentum*v)",
    )

    kind: Literal["nesterov"]
    momentum: Beta = Field(0.9, description="β: share of the velocity that is kept at each update.")
    weight_decay: WeightDecay = 0.0
