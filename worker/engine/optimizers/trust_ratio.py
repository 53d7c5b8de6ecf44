"""How do LARS and LAMB step, which give every tensor a rate in proportion to its own length?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, Shapes, State
from worker.engine.updates.gradient import loss_gradient
from worker.engine.updates.moments import moment_rows, moments
from worker.engine.updates.tensors import columns, length, tensors


def lars(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str], shapes: Shapes
) -> tuple[Tensor, State]:
    """LARS: momentum in which no matrix moves by more than a fixed share of its own length.

    Made for very large batches, where one rate for all layers is too long a step for some of them.

        g ← trust_coefficient · ‖w‖/(‖g‖ + weight_decay · ‖w‖) · (g + weight_decay · w)        for matrices
        v ← β · v + g
        w ← w − lr · v        (nesterov: w − lr · (g + β · v))

    Vectors, such as biases, take g as it is, without decay; where a norm is zero the ratio is 1. A problem without
    matrices is thus left to plain momentum.

    Arguments: lr > 0; 0 ≤ momentum (β) < 1; weight_decay ≥ 0; trust_coefficient > 0; nesterov; maximize.
    Reference: You, Gitman and Ginsburg, Large Batch Training of Convolutional Networks, 2017.
    torch.optim has no such method. As pytorch_optimizer.LARS. The paper has the rate inside the velocity, which differs
    as soon as the rate changes, and says nothing of vectors.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    scaled = []
    for weights, gradient in zip(tensors(weights_DR, shapes), tensors(gradient_DR, shapes), strict=True):
        if weights.ndim > 2:  # One of the axes is the runs'.
            weights_R, below_R = length(weights), length(gradient) + rows["decay"] * length(weights)
            ratio_R = torch.where((weights_R > 0) & (below_R > 0), rows["trust_coefficient"] * weights_R / below_R, 1.0)
            gradient = torch.addcmul(gradient, weights, rows["decay"]) * ratio_R
        scaled.append(gradient)
    gradient_DR = columns(scaled)
    velocity_DR = torch.addcmul(gradient_DR, state["velocity"], rows["momentum"])
    step_DR = torch.addcmul(gradient_DR, velocity_DR, rows["momentum"]) if "nesterov" in terms else velocity_DR
    return torch.addcmul(weights_DR, step_DR, rows["lr"], value=-1), {"velocity": velocity_DR}


def lamb(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str], shapes: Shapes
) -> tuple[Tensor, State]:
    """LAMB: Adam's direction, and for every tensor a step as long as lr times its own length.

        m, s, m̂, ŝ as Adam's
        u = m̂/(√ŝ + ε) + weight_decay · w
        w ← w − lr · ‖w‖/‖u‖ · u        for each tensor by itself; the ratio is 1 where a norm is zero

    Arguments: lr > 0; 0 ≤ beta1, beta2 < 1; eps ≥ 0; weight_decay ≥ 0; maximize.
    Reference: You et al., Large Batch Optimization for Deep Learning: Training BERT in 76 Minutes, 2020, algorithm 2
    with φ(z) = z.
    torch.optim has no such method. pytorch_optimizer.Lamb differs from the paper: it corrects m but not s for their
    start at zero, takes the decay off the weights outside of the ratio, and counts lengths above 10 as 10.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    mean_DR, square_DR = moments(state["mean"], state["square"], gradient_DR, rows)
    scale_DR = torch.sqrt(square_DR) / rows["root_correction2"] + rows["eps"]
    step_DR = torch.addcmul(mean_DR / rows["correction1"] / scale_DR, weights_DR, rows["decay"])
    scaled = []
    for weights, step in zip(tensors(weights_DR, shapes), tensors(step_DR, shapes), strict=True):
        weights_R, step_R = length(weights), length(step)
        scaled.append(torch.where((weights_R > 0) & (step_R > 0), weights_R / step_R, 1.0) * step)
    new_DR = torch.addcmul(weights_DR, columns(scaled), rows["lr"], value=-1)
    return new_DR, {"mean": mean_DR, "square": square_DR}


def _lars_rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    return {**settings, "decay": settings["weight_decay"]}


def _lamb_rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    return {
        **moment_rows(updates_T1, settings),
        "lr": settings["lr"],
        "correction1": 1 - settings["beta1"] ** updates_T1,
        "decay": settings["weight_decay"],
    }


LARS = Optimizer(
    kind="lars",
    rows=_lars_rows,
    update=lars,
    settings={"lr": math.nan, "momentum": 0.9, "weight_decay": 0.0, "trust_coefficient": 0.001},
    flags=("nesterov", "maximize"),
    state=("velocity",),
    momentum="momentum",
    by_tensor=True,
)
LAMB = Optimizer(
    kind="lamb",
    rows=_lamb_rows,
    update=lamb,
    settings={"lr": math.nan, "beta1": 0.9, "beta2": 0.999, "eps": 1e-6, "weight_decay": 0.01},
    flags=("maximize",),
    state=("mean", "square"),
    momentum="beta1",
    by_tensor=True,
)
