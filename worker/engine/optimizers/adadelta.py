"""Adadelta."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import loss_gradient


def adadelta(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Steps in the units of the weights, from the ratio of past steps to past gradients.

    No learning rate has to be chosen: lr = 1 is the method of the paper. The first steps are about √ε long, so the
    start is slow on every problem.

        s ← ρ · s + (1 − ρ) · g²
        Δ = √(u + ε) / √(s + ε) · g
        u ← ρ · u + (1 − ρ) · Δ²
        w ← w − lr · Δ

    As torch.optim.Adadelta.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    square_DR = torch.lerp(state["square"], gradient_DR * gradient_DR, coefficients["one_minus_rho"])
    scale_DR = torch.sqrt(state["step_square"] + coefficients["eps"]) / torch.sqrt(square_DR + coefficients["eps"])
    step_DR = scale_DR * gradient_DR
    step_square_DR = torch.lerp(state["step_square"], step_DR * step_DR, coefficients["one_minus_rho"])
    weights_DR = torch.addcmul(weights_DR, coefficients["lr"], step_DR, value=-1)
    return weights_DR, {"square": square_DR, "step_square": step_square_DR}


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    return {**hyper, "one_minus_rho": 1 - hyper["rho"]}


ADADELTA = Optimizer(
    kind="adadelta",
    coefficients=_coefficients,
    update=adadelta,
    hyper_parameters=("lr", "rho", "eps", "weight_decay"),
    switches=("weight_decay",),
    state=("square", "step_square"),
)
