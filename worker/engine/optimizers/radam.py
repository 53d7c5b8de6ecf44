"""RAdam."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import decayed, loss_gradient
from worker.engine.updates.moments import moments


def radam(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Adam with a computed warm-up.

    The running mean of squares is a poor estimate while it covers few gradients. While it covers at most five, the step
    is that of momentum; afterwards it is Adam's, reduced by the remaining uncertainty of the estimate.

        m, s, m̂ = m/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ) as Adam's
        ρ∞ = 2/(1 − β₂) − 1,  ρ = ρ∞ − 2t · β₂ᵗ/(1 − β₂ᵗ)
        ρ > 5:  w ← w − lr · √((ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ)) · √(1 − β₂ᵗ) · m̂ / (√s + ε)
        else:   w ← w − lr · m̂

    As torch.optim.RAdam.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    weights_DR = decayed(weights_DR, coefficients, terms)
    mean_DR, square_DR = moments(state["mean"], state["square"], gradient_DR, coefficients)
    adapted_DR = coefficients["rectified"] / (torch.sqrt(square_DR) + coefficients["eps"])
    factor_DR = torch.where(coefficients["is_rectified"] > 0, adapted_DR, 1.0)
    new_DR = torch.addcmul(weights_DR, coefficients["step_size"] * mean_DR, factor_DR, value=-1)
    return new_DR, {"mean": mean_DR, "square": square_DR}


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    decay = hyper["beta2"] ** updates_T1
    longest = 2 / (1 - hyper["beta2"]) - 1
    length = longest - 2 * updates_T1 * decay / (1 - decay)
    ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    is_rectified = length > 5
    return {
        "one_minus_beta1": 1 - hyper["beta1"],
        "one_minus_beta2": 1 - hyper["beta2"],
        "step_size": hyper["lr"] / (1 - hyper["beta1"] ** updates_T1),
        "is_rectified": is_rectified.double(),
        "rectified": torch.where(is_rectified, torch.sqrt(ratio * (1 - decay)), 0.0),
        "eps": hyper["eps"],
        "weight_decay": hyper["weight_decay"],
        "shrink": 1 - hyper["lr"] * hyper["weight_decay"],
    }


RADAM = Optimizer(
    kind="radam",
    coefficients=_coefficients,
    update=radam,
    hyper_parameters=("lr", "beta1", "beta2", "eps", "weight_decay"),
    switches=("weight_decay",),
    flags=("decoupled_weight_decay", "maximize"),
    state=("mean", "square"),
    momentum="beta1",
)
