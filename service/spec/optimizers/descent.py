"""Which methods step along the gradient, and what may be asked of them?"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.fields import Grid, Within
from service.spec.optimizers.entry import Beta, Entry, NotNegative, WeightDecay


class SGD(Entry):
    """Step against the gradient of one mini-batch at a time."""

    title: ClassVar = "Stochastic gradient descent"
    formula: ClassVar = "w ← w − lr·g"
    reference: ClassVar = "Robbins, Monro: A Stochastic Approximation Method (1951)"
    state_per_parameter: ClassVar = 0
    scheduled_momentum: ClassVar = "momentum"

    kind: Literal["sgd"]
    momentum: Beta = Field(0.0, description="Share of the velocity that is kept at each update; 0 is plain descent.")
    dampening: Annotated[Grid, Within(ge=0, le=1)] = Field(
        0.0, description="Share of the gradient that is kept out of the velocity."
    )
    weight_decay: WeightDecay = 0.0


class Momentum(Entry):
    """Descend like a heavy ball: past gradients add up to a velocity."""

    title: ClassVar = "Momentum (heavy ball)"
    formula: ClassVar = "v ← β·v + (1 − dampening)·g;  w ← w − lr·v"
    reference: ClassVar = "Polyak: Some methods of speeding up the convergence of iteration methods (1964)"
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"

    kind: Literal["momentum"]
    momentum: Beta = Field(0.9, description="β: share of the velocity that is kept at each update.")
    dampening: Annotated[Grid, Within(ge=0, le=1)] = Field(
        0.0, description="Share of the gradient that is kept out of the velocity; dampening = β averages gradients."
    )
    weight_decay: WeightDecay = 0.0


class Nesterov(Entry):
    """Momentum that steps along the velocity it is about to have (torch's form; it takes no dampening)."""

    title: ClassVar = "Nesterov's accelerated gradient"
    formula: ClassVar = "v ← β·v + g;  w ← w − lr·(g + β·v)"
    reference: ClassVar = "Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum (2013)"
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"

    kind: Literal["nesterov"]
    momentum: Beta = Field(0.9, description="β: share of the velocity that is kept at each update.")
    weight_decay: WeightDecay = 0.0


class QuasiHyperbolic(Entry):
    """Step between gradient descent and momentum: a share of a long memory, the rest of the newest gradient."""

    title: ClassVar = "Quasi-hyperbolic momentum (QHM)"
    formula: ClassVar = "m ← β·m + (1 − β)·g;  w ← w − lr·((1 − ν)·g + ν·m)"
    reference: ClassVar = "Ma, Yarats: Quasi-Hyperbolic Momentum and Adam for Deep Learning (2019)"
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"

    kind: Literal["quasi_hyperbolic"]
    momentum: Beta = Field(0.999, description="β: memory of the mean of gradients.")
    nu: Annotated[Grid, Within(ge=0, le=1)] = Field(0.7, description="ν: share of the mean in the step.")
    weight_decay: WeightDecay = 0.0


class ASGD(Entry):
    """Descend with a slowly falling rate, and answer with the mean of the points since update t0."""

    title: ClassVar = "Averaged stochastic gradient descent"
    formula: ClassVar = "w ← (1 − λ·η)·w − η·g;  a ← a + μ·(w − a);  η = lr / (1 + λ·lr·t)^α;  μ = 1 / max(1, t − t0)"
    reference: ClassVar = "Polyak, Juditsky: Acceleration of Stochastic Approximation by Averaging (1992)"
    state_per_parameter: ClassVar = 1

    kind: Literal["asgd"]
    lambd: NotNegative = Field(1e-4, description="λ: how fast the rate falls, and a decay of the weights.")
    alpha: NotNegative = Field(0.75, description="α: power of time with which the rate falls.")
    t0: NotNegative = Field(1e6, description="Update after which the points are averaged.")
    weight_decay: WeightDecay = 0.0
