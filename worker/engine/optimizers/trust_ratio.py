"""LARS and LAMB, where the rate of every tensor is proportional to its norm."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, Shapes, State
from worker.engine.updates.gradient import loss_gradient
from worker.engine.updates.moments import moment_coefficients, moments
from worker.engine.updates.tensors import columns, length, tensors


def lars(
    weights_DR: Tensor,
    gradient_DR: Tensor,
    state: State,
    coefficients: Coefficients,
    terms: frozenset[str],
    shapes: Shapes,
) -> tuple[Tensor, State]:
    """Momentum in which no matrix moves by more than a fixed share of its norm.

    For very large batches, where one rate is too large for some of the layers.

        g ← trust_coefficient · ‖w‖/(‖g‖ + weight_decay · ‖w‖) · (g + weight_decay · w)        for matrices
        v ← β · v + g
        w ← w − lr · v        (nesterov: w − lr · (g + β · v))

    Vectors, such as biases, use g unchanged and without decay; where a norm is zero the ratio is 1. On a problem
    without matrices this is plain momentum.

    torch.optim has no such method. As pytorch_optimizer.LARS. In the paper the rate is inside the velocity, which
    differs as soon as the rate changes, and vectors are not mentioned.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    scaled = []
    for weights, gradient in zip(tensors(weights_DR, shapes), tensors(gradient_DR, shapes), strict=True):
        if weights.ndim > 2:  # One of the axes is the runs'.
            weights_R, below_R = length(weights), length(gradient) + coefficients["decay"] * length(weights)
            ratio_R = torch.where(
                (weights_R > 0) & (below_R > 0), coefficients["trust_coefficient"] * weights_R / below_R, 1.0
            )
            gradient = torch.addcmul(gradient, weights, coefficients["decay"]) * ratio_R
        scaled.append(gradient)
    gradient_DR = columns(scaled)
    velocity_DR = torch.addcmul(gradient_DR, state["velocity"], coefficients["momentum"])
    step_DR = torch.addcmul(gradient_DR, velocity_DR, coefficients["momentum"]) if "nesterov" in terms else velocity_DR
    return torch.addcmul(weights_DR, step_DR, coefficients["lr"], value=-1), {"velocity": velocity_DR}


def lamb(
    weights_DR: Tensor,
    gradient_DR: Tensor,
    state: State,
    coefficients: Coefficients,
    terms: frozenset[str],
    shapes: Shapes,
) -> tuple[Tensor, State]:
    """Adam's direction with a step of lr times the norm of each tensor.

        m, s, m̂, ŝ as Adam's
        u = m̂/(√ŝ + ε) + weight_decay · w
        w ← w − lr · ‖w‖/‖u‖ · u        for each tensor; the ratio is 1 where a norm is zero

    torch.optim has no such method. pytorch_optimizer.Lamb differs from the paper: it corrects m but not s for their
    start at zero, applies the decay outside of the ratio, and counts norms above 10 as 10.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    mean_DR, square_DR = moments(state["mean"], state["square"], gradient_DR, coefficients)
    scale_DR = torch.sqrt(square_DR) / coefficients["root_correction2"] + coefficients["eps"]
    step_DR = torch.addcmul(mean_DR / coefficients["correction1"] / scale_DR, weights_DR, coefficients["decay"])
    scaled = []
    for weights, step in zip(tensors(weights_DR, shapes), tensors(step_DR, shapes), strict=True):
        weights_R, step_R = length(weights), length(step)
        scaled.append(torch.where((weights_R > 0) & (step_R > 0), weights_R / step_R, 1.0) * step)
    new_DR = torch.addcmul(weights_DR, columns(scaled), coefficients["lr"], value=-1)
    return new_DR, {"mean": mean_DR, "square": square_DR}


def _lars_coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    return {**hyper, "decay": hyper["weight_decay"]}


def _lamb_coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    return {
        **moment_coefficients(updates_T1, hyper),
        "lr": hyper["lr"],
        "correction1": 1 - hyper["beta1"] ** updates_T1,
        "decay": hyper["weight_decay"],
    }


LARS = Optimizer(
    kind="lars",
    coefficients=_lars_coefficients,
    update=lars,
    hyper_parameters=("lr", "momentum", "weight_decay", "trust_coefficient"),
    flags=("nesterov", "maximize"),
    state=("velocity",),
    momentum="momentum",
    by_tensor=True,
)
LAMB = Optimizer(
    kind="lamb",
    coefficients=_lamb_coefficients,
    update=lamb,
    hyper_parameters=("lr", "beta1", "beta2", "eps", "weight_decay"),
    state=("mean", "square"),
    momentum="beta1",
    by_tensor=True,
)
