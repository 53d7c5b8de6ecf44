"""Adamax."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import loss_gradient


def adamax(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Adam with the largest recent gradient in place of the root mean square.

    One large gradient shortens the steps that follow and is forgotten at the rate β₂. Small gradients between two large
    ones have no effect on the denominator.

        m ← β₁ · m + (1 − β₁) · g
        u ← max(β₂ · u, |g| + ε)
        w ← w − lr/(1 − β₁ᵗ) · m / u

    As torch.optim.Adamax; the paper has no ε.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    mean_DR = torch.lerp(state["mean"], gradient_DR, coefficients["one_minus_beta1"])
    largest_DR = torch.maximum(coefficients["beta2"] * state["largest"], gradient_DR.abs() + coefficients["eps"])
    weights_DR = torch.addcdiv(weights_DR, coefficients["step_size"] * mean_DR, largest_DR, value=-1)
    return weights_DR, {"mean": mean_DR, "largest": largest_DR}


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    return {
        **hyper,
        "one_minus_beta1": 1 - hyper["beta1"],
        "step_size": hyper["lr"] / (1 - hyper["beta1"] ** updates_T1),
    }


ADAMAX = Optimizer(
    kind="adamax",
    coefficients=_coefficients,
    update=adamax,
    hyper_parameters=("lr", "beta1", "beta2", "eps", "weight_decay"),
    switches=("weight_decay",),
    state=("mean", "largest"),
    momentum="beta1",
)
