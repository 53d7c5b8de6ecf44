"""Quasi-hyperbolic momentum (QHM)."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import loss_gradient


def quasi_hyperbolic(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """A step between that of gradient descent and that of momentum.

    A share ν of the step is a running mean of gradients, the rest the newest gradient. ν = 0 is gradient descent, ν = 1
    momentum with dampening β, ν = β Nesterov's method with lr times 1 − β.

        m ← β · m + (1 − β) · g
        w ← w − lr · ((1 − ν) · g + ν · m)

    torch.optim has no such method. As pytorch_optimizer.QHM.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    mean_DR = torch.lerp(state["mean"], gradient_DR, coefficients["one_minus_momentum"])
    step_DR = torch.lerp(gradient_DR, mean_DR, coefficients["nu"])
    return torch.addcmul(weights_DR, step_DR, coefficients["lr"], value=-1), {"mean": mean_DR}


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    return {**hyper, "one_minus_momentum": 1 - hyper["momentum"]}


QUASI_HYPERBOLIC = Optimizer(
    kind="quasi_hyperbolic",
    coefficients=_coefficients,
    update=quasi_hyperbolic,
    hyper_parameters=("lr", "momentum", "nu", "weight_decay"),
    switches=("weight_decay",),
    state=("mean",),
    momentum="momentum",
)
