"""How does NAdam step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import decayed, loss_gradient
from worker.engine.updates.moments import moments


def nadam(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """NAdam: Adam with Nesterov's look-ahead, and a momentum that grows from half of β₁ to β₁.

    Nesterov's method counts the new gradient where the velocity is about to carry the weights; here the running mean
    stands for the velocity, and the mean of the next update is written as far as it is known by now.

        μₜ = β₁ · (1 − ½ · 0.96^(t · momentum_decay)),  Πₜ = μ₁ · … · μₜ
        m ← β₁ · m + (1 − β₁) · g,  s ← β₂ · s + (1 − β₂) · g²
        w ← w − lr · ((1 − μₜ)/(1 − Πₜ) · g + μₜ₊₁/(1 − Πₜ₊₁) · m) / (√(s/(1 − β₂ᵗ)) + ε)

    Arguments: lr > 0 (torch's default is 0.002); 0 ≤ beta1, beta2 < 1; eps ≥ 0; weight_decay ≥ 0, coupled unless
    decoupled_weight_decay; momentum_decay ≥ 0; maximize.
    Reference: Dozat, Incorporating Nesterov Momentum into Adam, 2016.
    As torch.optim.NAdam, except that torch keeps Πₜ in its default dtype, float32, also where weights are float64.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    weights_DR = decayed(weights_DR, rows, terms)
    mean_DR, square_DR = moments(state["mean"], state["square"], gradient_DR, rows)
    product_1R = state["momentum_product"] * rows["momentum"]
    scale_DR = torch.sqrt(square_DR / rows["correction2"]) + rows["eps"]
    of_gradient_1R = rows["gradient_share"] / (1 - product_1R)
    of_mean_1R = rows["mean_share"] / (1 - product_1R * rows["next_momentum"])
    step_DR = torch.addcmul(of_gradient_1R * gradient_DR, of_mean_1R, mean_DR)
    new = {"mean": mean_DR, "square": square_DR, "momentum_product": product_1R}
    return torch.addcdiv(weights_DR, step_DR, scale_DR, value=-1), new


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    momentum = _momentum(updates_T1, settings)
    next_momentum = _momentum(updates_T1 + 1, settings)
    return {
        "one_minus_beta1": 1 - settings["beta1"],
        "one_minus_beta2": 1 - settings["beta2"],
        "correction2": 1 - settings["beta2"] ** updates_T1,
        "momentum": momentum,
        "next_momentum": next_momentum,
        "gradient_share": settings["lr"] * (1 - momentum),
        "mean_share": settings["lr"] * next_momentum,
        "eps": settings["eps"],
        "weight_decay": settings["weight_decay"],
        "shrink": 1 - settings["lr"] * settings["weight_decay"],
    }


def _momentum(updates_T1: Tensor, settings: Rows) -> Tensor:
    return settings["beta1"] * (1 - 0.5 * 0.96 ** (updates_T1 * settings["momentum_decay"]))


NADAM = Optimizer(
    kind="nadam",
    rows=_rows,
    update=nadam,
    settings={
        "lr": math.nan,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "momentum_decay": 0.004,
    },
    switches=("weight_decay",),
    flags=("decoupled_weight_decay", "maximize"),
    state=("mean", "square"),
    run_state=("momentum_product",),
    state_from={"momentum_product": 1.0},
    momentum="beta1",
)
