"""Which methods are Adam or change one thing about it?"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.optimizers.entry import (
    Beta,
    Decoupled,
    DecoupledDecay,
    Entry,
    Eps,
    Memory1,
    Memory2,
    NotNegative,
    WeightDecay,
)


class Adam(Entry):
    """Divide a running mean of gradients by the root of a running mean of their squares, coordinate by coordinate."""

    title: ClassVar = "Adam"
    formula: ClassVar = "m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;  w ← w − lr·m̂ / (√v̂ + ε)"
    reference: ClassVar = "Kingma, Ba: Adam: A Method for Stochastic Optimization (2015)"
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"

    kind: Literal["adam"]
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    amsgrad: bool = Field(False, description="Divide by the largest mean of squares seen so far (Reddi et al., 2018).")
    decoupled_weight_decay: Decoupled = False


class AdamW(Entry):
    """Adam with weight decay taken off the weights directly instead of added to the gradient."""

    title: ClassVar = "AdamW"
    formula: ClassVar = "w ← w − lr·weight_decay·w;  then Adam's step"
    reference: ClassVar = "Loshchilov, Hutter: Decoupled Weight Decay Regularization (2019)"
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"

    kind: Literal["adamw"]
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    weight_decay: DecoupledDecay = 0.01
    amsgrad: bool = Field(False, description="Divide by the largest mean of squares seen so far (Reddi et al., 2018).")


class NAdam(Entry):
    """Adam with Nesterov's look-ahead, and a momentum that grows from half of beta1 to beta1."""

    title: ClassVar = "NAdam"
    formula: ClassVar = "m, v as Adam's;  w ← w − lr·((1 − μₜ)/(1 − Πμ)·g + μₜ₊₁/(1 − Πμ·μₜ₊₁)·m) / (√v̂ + ε)"
    reference: ClassVar = "Dozat: Incorporating Nesterov Momentum into Adam (2016)"
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"

    kind: Literal["nadam"]
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    momentum_decay: NotNegative = Field(
        0.004, description="How soon the momentum grows: μₜ = β₁·(1 − ½·0.96^(t·this))."
    )
    decoupled_weight_decay: Decoupled = False


class RAdam(Entry):
    """Adam that steps like momentum until its mean of squares can be trusted, and carefully from then on."""

    title: ClassVar = "RAdam"
    formula: ClassVar = "w ← w − lr·rₜ·m̂ / (√v̂ + ε) where ρₜ > 5, else w ← w − lr·m̂"
    reference: ClassVar = "Liu, Jiang, He, Chen, Liu, Gao, Han: On the Variance of the Adaptive Learning Rate (2020)"
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"

    kind: Literal["radam"]
    beta1: Memory1 = 0.9
    beta2: Memory2 = 0.999
    eps: Eps = 1e-8
    weight_decay: WeightDecay = 0.0
    decoupled_weight_decay: Decoupled = False


class Adamax(Entry):
    """Adam with the largest recent gradient in place of the root mean square."""

    title: ClassVar = "Adamax"
    formula: ClassVar = "m ← β₁·m + (1 − β₁)·g;  u ← max(β₂·u, |g| + ε);  w ← w − lr·m̂ / u"
    reference: ClassVar = "Kingma, Ba: Adam: A Method for Stochastic Optimization (2015)"
    state_per_parameter: ClassVar = 2
    scheduled_momentum: ClassVar = "beta1"

    kind: Literal["adamax"]
    beta1: Memory1 = 0.9
    beta2: Beta = Field(0.999, description="How slowly a large gradient is forgotten.")
    eps: Annotated[NotNegative, Field(description="Added to each gradient's size, so that none is zero.")] = 1e-8
    weight_decay: WeightDecay = 0.0
