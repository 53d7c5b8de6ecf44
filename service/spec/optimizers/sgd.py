"""Gradient descent, momentum and Nesterov's method."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.entry import Beta, Entry, WeightDecay
from service.spec.fields import Grid, Within
from service.spec.literature import NESTEROV_1983, POLYAK_1964, ROBBINS_1951, SUTSKEVER_2013
from service.spec.references import cite


class SGD(Entry):
    """Step against the gradient of one mini-batch at a time."""

    title: ClassVar = "Stochastic gradient descent"
    formula: ClassVar = "w ← w − lr·g"
    reference: ClassVar = cite(ROBBINS_1951)
    state_per_parameter: ClassVar = 0
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "torch.optim.SGD"

    kind: Literal["sgd"]
    momentum: Beta = Field(0.0, description="Share of the velocity that is kept at each update; 0 is gradient descent.")
    dampening: Annotated[Grid, Within(ge=0, le=1)] = Field(
        0.0, description="Share of the gradient that is not added to the velocity."
    )
    weight_decay: WeightDecay = 0.0


class Momentum(Entry):
    """Gradient descent with a velocity: past gradients add up."""

    title: ClassVar = "Momentum (heavy ball)"
    formula: ClassVar = "v ← β·v + (1 − dampening)·g;  w ← w − lr·v"
    reference: ClassVar = cite(POLYAK_1964)
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "torch.optim.SGD"
    torch_defaults: ClassVar = {"momentum": 0.0}

    kind: Literal["momentum"]
    momentum: Beta = Field(0.9, description="β: share of the velocity that is kept at each update.")
    dampening: Annotated[Grid, Within(ge=0, le=1)] = Field(
        0.0, description="Share of the gradient that is not added to the velocity; dampening = β averages gradients."
    )
    weight_decay: WeightDecay = 0.0


class Nesterov(Entry):
    """Momentum that steps along the predicted next velocity (torch's form, without dampening)."""

    title: ClassVar = "Nesterov's accelerated gradient"
    formula: ClassVar = "v ← β·v + g;  w ← w − lr·(g + β·v)"
    reference: ClassVar = cite(NESTEROV_1983, "; this form: ", SUTSKEVER_2013)
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"
    torch_class: ClassVar = "torch.optim.SGD"
    torch_defaults: ClassVar = {"momentum": 0.0}

    kind: Literal["nesterov"]
    momentum: Beta = Field(0.9, description="β: share of the velocity that is kept at each update.")
    weight_decay: WeightDecay = 0.0
