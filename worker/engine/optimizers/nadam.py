"""NAdam."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import decayed, loss_gradient
from worker.engine.updates.moments import moments


def nadam(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Adam with Nesterov's look-ahead, and a momentum that grows from half of β₁ to β₁.

    Nesterov's method takes the gradient at the point that the velocity leads to. Here the running mean replaces the
    velocity, and the mean of the next update is used as far as it is known.

        μₜ = β₁ · (1 − ½ · 0.96^(t · momentum_decay)),  Πₜ = μ₁ · … · μₜ
        m ← β₁ · m + (1 − β₁) · g,  s ← β₂ · s + (1 − β₂) · g²
        w ← w − lr · ((1 − μₜ)/(1 − Πₜ) · g + μₜ₊₁/(1 − Πₜ₊₁) · m) / (√(s/(1 − β₂ᵗ)) + ε)

    As torch.optim.NAdam, except that torch keeps Πₜ in its default dtype, float32, also where weights are float64.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    weights_DR = decayed(weights_DR, coefficients, terms)
    mean_DR, square_DR = moments(state["mean"], state["square"], gradient_DR, coefficients)
    product_1R = state["momentum_product"] * coefficients["momentum"]
    scale_DR = torch.sqrt(square_DR / coefficients["correction2"]) + coefficients["eps"]
    of_gradient_1R = coefficients["gradient_share"] / (1 - product_1R)
    of_mean_1R = coefficients["mean_share"] / (1 - product_1R * coefficients["next_momentum"])
    step_DR = torch.addcmul(of_gradient_1R * gradient_DR, of_mean_1R, mean_DR)
    new = {"mean": mean_DR, "square": square_DR, "momentum_product": product_1R}
    return torch.addcdiv(weights_DR, step_DR, scale_DR, value=-1), new


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    momentum = _momentum(updates_T1, hyper)
    next_momentum = _momentum(updates_T1 + 1, hyper)
    return {
        "one_minus_beta1": 1 - hyper["beta1"],
        "one_minus_beta2": 1 - hyper["beta2"],
        "correction2": 1 - hyper["beta2"] ** updates_T1,
        "momentum": momentum,
        "next_momentum": next_momentum,
        "gradient_share": hyper["lr"] * (1 - momentum),
        "mean_share": hyper["lr"] * next_momentum,
        "eps": hyper["eps"],
        "weight_decay": hyper["weight_decay"],
        "shrink": 1 - hyper["lr"] * hyper["weight_decay"],
    }


def _momentum(updates_T1: Tensor, hyper: HyperParameters) -> Tensor:
    return hyper["beta1"] * (1 - 0.5 * 0.96 ** (updates_T1 * hyper["momentum_decay"]))


NADAM = Optimizer(
    kind="nadam",
    coefficients=_coefficients,
    update=nadam,
    hyper_parameters=("lr", "beta1", "beta2", "eps", "weight_decay", "momentum_decay"),
    switches=("weight_decay",),
    flags=("decoupled_weight_decay", "maximize"),
    state=("mean", "square"),
    run_state=("momentum_product",),
    state_from={"momentum_product": 1.0},
    momentum="beta1",
)
