"""Which methods give every parameter a step of its own size?"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.fields import Grid, Within
from service.spec.optimizers.entry import Beta, DecoupledDecay, Entry, Eps, NotNegative, Positive, WeightDecay


class Adagrad(Entry):
    """Divide the gradient by the root of the sum of all its squares so far."""

    title: ClassVar = "Adagrad"
    formula: ClassVar = "s ← s + g²;  w ← w − lr / (1 + t·lr_decay) · g / (√s + ε)"
    reference: ClassVar = "Duchi, Hazan, Singer: Adaptive Subgradient Methods (2011)"
    state_per_parameter: ClassVar = 1

    kind: Literal["adagrad"]
    lr_decay: NotNegative = Field(0.0, description="Slows the learning rate: lr / (1 + t·lr_decay) after t updates.")
    weight_decay: WeightDecay = 0.0
    initial_accumulator_value: NotNegative = Field(0.0, description="What the sum of squares starts from.")
    eps: Annotated[NotNegative, Field(description="Added to the denominator, so that it never is zero.")] = 1e-10


class RMSprop(Entry):
    """Divide the gradient by the root of a running mean of its squares."""

    title: ClassVar = "RMSprop"
    formula: ClassVar = "v ← α·v + (1 − α)·g²;  w ← w − lr·g / (√v + ε)"
    reference: ClassVar = "Tieleman, Hinton: Lecture 6.5, Neural Networks for Machine Learning (2012)"
    state_per_parameter: ClassVar = 1
    scheduled_momentum: ClassVar = "momentum"

    kind: Literal["rmsprop"]
    alpha: Beta = Field(0.99, description="Memory of the mean of squared gradients.")
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    momentum: Beta = Field(0.0, description="Share of the velocity that is kept at each update.")
    centered: bool = Field(False, description="Divide by an estimate of the variance instead (Graves, 2013).")


class Adadelta(Entry):
    """Step in the units of the weights, from the ratio of past steps to past gradients; lr = 1 is the paper's."""

    title: ClassVar = "Adadelta"
    formula: ClassVar = "v ← ρ·v + (1 − ρ)·g²;  Δ = √(u + ε)/√(v + ε)·g;  u ← ρ·u + (1 − ρ)·Δ²;  w ← w − lr·Δ"
    reference: ClassVar = "Zeiler: ADADELTA: An Adaptive Learning Rate Method (2012)"
    state_per_parameter: ClassVar = 2

    kind: Literal["adadelta"]
    rho: Beta = Field(0.9, description="ρ: memory of the means of squared gradients and steps.")
    eps: Annotated[Positive, Field(description="Decides how long the first steps are: about √eps.")] = 1e-6
    weight_decay: WeightDecay = 0.0


class Rprop(Entry):
    """Step by the gradient's sign; steps grow while it stays and shrink when it turns. For full batches."""

    title: ClassVar = "Rprop"
    formula: ClassVar = "Δ ← η₊·Δ if g·g₋₁ > 0, η₋·Δ and g ← 0 if < 0;  w ← w − Δ·sign(g)"
    reference: ClassVar = "Riedmiller, Braun: A Direct Adaptive Method for Faster Backpropagation: RPROP (1993)"
    state_per_parameter: ClassVar = 2

    kind: Literal["rprop"]
    eta_minus: Annotated[Grid, Within(gt=0, lt=1)] = Field(0.5, description="Factor of a step whose sign has turned.")
    eta_plus: Annotated[Grid, Within(gt=1)] = Field(1.2, description="Factor of a step whose sign has stayed.")
    step_min: NotNegative = Field(1e-6, description="Shortest step.")
    step_max: Positive = Field(50.0, description="Longest step.")


class Adafactor(Entry):
    """Adam's denominators from means over rows and columns; rates relative to the size of each tensor."""

    title: ClassVar = "Adafactor"
    formula: ClassVar = "V ≈ r·c / mean(r);  u = g/√V;  w ← w − max(ε₂, rms(w))·min(lr, 1/√t)·u / max(1, rms(u)/d)"
    reference: ClassVar = "Shazeer, Stern: Adafactor: Adaptive Learning Rates with Sublinear Memory Cost (2018)"
    state_per_parameter: ClassVar = 1

    kind: Literal["adafactor"]
    beta2_decay: Annotated[Grid, Within(le=0)] = Field(
        -0.8, description="The newest square weighs t^beta2_decay in the means."
    )
    eps2: NotNegative = Field(1e-3, description="ε₂: the root mean square that a tensor is taken to have at least.")
    d: Annotated[Grid, Within(ge=1)] = Field(1.0, description="Root mean square above which a step is scaled down.")
    weight_decay: DecoupledDecay = 0.0
