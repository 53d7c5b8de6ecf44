"""How does RMSprop step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import loss_gradient


def rmsprop(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """RMSprop: each parameter's gradient in units of its own running root mean square.

    Steep and flat directions then move alike. The mean starts at zero and nothing corrects for it, so that the first
    step is lr/√(1 − α): ten times lr at α = 0.99.

        s ← α · s + (1 − α) · g²
        a = √s                          centered: m ← α · m + (1 − α) · g, a = √(s − m²)
        w ← w − lr · g / (a + ε)        momentum: v ← β · v + g / (a + ε), w ← w − lr · v

    Arguments: lr > 0 (torch's default is 0.01); 0 ≤ alpha (α) < 1; eps ≥ 0; weight_decay ≥ 0; 0 ≤ momentum (β) < 1;
    centered; maximize.
    Reference: Tieleman and Hinton, Lecture 6.5: Divide the Gradient by a Running Average of Its Recent Magnitude, 2012;
    centered: Graves, Generating Sequences With Recurrent Neural Networks, 2013.
    As torch.optim.RMSprop, in its order of arithmetic: s − m² cancels, and only the same rounding gives the same root.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    square_DR = torch.addcmul(rows["alpha"] * state["square"], rows["one_minus_alpha"] * gradient_DR, gradient_DR)
    new = {"square": square_DR}
    if "centered" in terms:
        mean_DR = new["mean"] = torch.lerp(state["mean"], gradient_DR, rows["one_minus_alpha"])
        square_DR = torch.addcmul(square_DR, mean_DR, mean_DR, value=-1)
    scale_DR = torch.sqrt(square_DR) + rows["eps"]
    if "momentum" in terms:
        velocity_DR = new["velocity"] = torch.addcdiv(rows["momentum"] * state["velocity"], gradient_DR, scale_DR)
        return torch.addcmul(weights_DR, velocity_DR, rows["lr"], value=-1), new
    return torch.addcdiv(weights_DR, rows["lr"] * gradient_DR, scale_DR, value=-1), new


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    return {**settings, "one_minus_alpha": 1 - settings["alpha"]}


RMSPROP = Optimizer(
    kind="rmsprop",
    rows=_rows,
    update=rmsprop,
    settings={"lr": math.nan, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0},
    switches=("weight_decay", "momentum"),
    flags=("centered", "maximize"),
    state=("square",),
    state_of_term={"centered": "mean", "momentum": "velocity"},
    momentum="momentum",
)
