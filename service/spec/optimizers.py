"""Which optimizers may be asked for, with which hyper-parameters: torch.optim's names, ranges and defaults.

The engine has a file of the same formulas; a test holds the two lists of names equal.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from service.spec.fields import Grid, Strict, Within
from service.spec.schedules import Constant, Schedule

LearningRate = Annotated[
    Grid, Within(gt=0), Field(description="Learning rate: the length of a step per unit of gradient.")
]
Beta = Annotated[Grid, Within(ge=0, lt=1)]
NotNegative = Annotated[Grid, Within(ge=0)]
WeightDecay = Annotated[NotNegative, Field(description="Adds weight_decay × w to the gradient (an L2 penalty).")]
Eps = Annotated[NotNegative, Field(description="Added to the denominator, so that it never is zero.")]


class Entry(Strict):
    """One entry of a job's optimizers: a kind, its hyper-parameters (numbers, lists or ranges), a label."""

    title: ClassVar[str]
    formula: ClassVar[str]
    reference: ClassVar[str]
    # The hyper-parameter that a momentum schedule multiplies; None where the method has none.
    scheduled_momentum: ClassVar[str | None] = None

    kind: str = Field(description="The optimizer's name.")
    label: str | None = Field(
        None, min_length=1, max_length=100, description="What its runs are called; by default the kind."
    )
    lr: LearningRate
    maximize: bool = Field(False, description="Climb instead of descend: the gradient's sign is turned.")
    schedule: Schedule = Field(Constant(), description="How the learning rate changes during a run.")
    momentum_schedule: Schedule = Field(Constant(), description="How the momentum changes during a run.")

    def grids(self) -> dict[str, Any]:
        """Give the numeric hyper-parameters, each a number, a list or a range, in the order in which they nest."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in _NOT_NUMERIC}

    def flags(self) -> dict[str, bool]:
        """Give the switches, which are the same for every run of the entry."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in _FLAGS}


_FLAGS = {"maximize", "amsgrad", "centered"}
_NOT_NUMERIC = _FLAGS | {"kind", "label", "schedule", "momentum_schedule"}


class SGD(Entry):
    """Step against the gradient of one mini-batch at a time."""

    title: ClassVar = "Stochastic gradient descent"
    formula: ClassVar = "w ← w − lr·g"
    reference: ClassVar = "Robbins, Monro: A Stochastic Approximation Method (1951)"
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
    scheduled_momentum: ClassVar = "momentum"

    kind: Literal["nesterov"]
    momentum: Beta = Field(0.9, description="β: share of the velocity that is kept at each update.")
    weight_decay: WeightDecay = 0.0


class Adam(Entry):
    """Divide a running mean of gradients by the root of a running mean of their squares, coordinate by coordinate."""

    title: ClassVar = "Adam"
    formula: ClassVar = "m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;  w ← w − lr·m̂ / (√v̂ + ε)"
    reference: ClassVar = "Kingma, Ba: Adam: A Method for Stochastic Optimization (2015)"
    scheduled_momentum: ClassVar = "beta1"

    kind: Literal["adam"]
    beta1: Beta = Field(0.9, description="Memory of the mean of gradients.")
    beta2: Beta = Field(0.999, description="Memory of the mean of squared gradients.")
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    amsgrad: bool = Field(False, description="Divide by the largest mean of squares seen so far (Reddi et al., 2018).")


class AdamW(Entry):
    """Adam with weight decay taken off the weights directly instead of added to the gradient."""

    title: ClassVar = "AdamW"
    formula: ClassVar = "w ← w − lr·weight_decay·w;  then Adam's step"
    reference: ClassVar = "Loshchilov, Hutter: Decoupled Weight Decay Regularization (2019)"
    scheduled_momentum: ClassVar = "beta1"

    kind: Literal["adamw"]
    beta1: Beta = Field(0.9, description="Memory of the mean of gradients.")
    beta2: Beta = Field(0.999, description="Memory of the mean of squared gradients.")
    eps: Eps = 1e-8
    weight_decay: NotNegative = Field(0.01, description="Share of the weights, times lr, taken off at each update.")
    amsgrad: bool = Field(False, description="Divide by the largest mean of squares seen so far (Reddi et al., 2018).")


class RMSprop(Entry):
    """Divide the gradient by the root of a running mean of its squares."""

    title: ClassVar = "RMSprop"
    formula: ClassVar = "v ← α·v + (1 − α)·g²;  w ← w − lr·g / (√v + ε)"
    reference: ClassVar = "Tieleman, Hinton: Lecture 6.5, Neural Networks for Machine Learning (2012)"
    scheduled_momentum: ClassVar = "momentum"

    kind: Literal["rmsprop"]
    alpha: Beta = Field(0.99, description="Memory of the mean of squared gradients.")
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    momentum: Beta = Field(0.0, description="Share of the velocity that is kept at each update.")
    centered: bool = Field(False, description="Divide by an estimate of the variance instead (Graves, 2013).")


class Adagrad(Entry):
    """Divide the gradient by the root of the sum of all its squares so far."""

    title: ClassVar = "Adagrad"
    formula: ClassVar = "s ← s + g²;  w ← w − lr / (1 + t·lr_decay) · g / (√s + ε)"
    reference: ClassVar = "Duchi, Hazan, Singer: Adaptive Subgradient Methods (2011)"

    kind: Literal["adagrad"]
    lr_decay: NotNegative = Field(0.0, description="Slows the learning rate: lr / (1 + t·lr_decay) after t updates.")
    weight_decay: WeightDecay = 0.0
    initial_accumulator_value: NotNegative = Field(0.0, description="What the sum of squares starts from.")
    eps: Annotated[NotNegative, Field(description="Added to the denominator, so that it never is zero.")] = 1e-10


Optimizer = Annotated[SGD | Momentum | Nesterov | Adam | AdamW | RMSprop | Adagrad, Field(discriminator="kind")]
OPTIMIZERS: tuple[type[Entry], ...] = (SGD, Momentum, Nesterov, Adam, AdamW, RMSprop, Adagrad)
