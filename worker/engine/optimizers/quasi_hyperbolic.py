"""How does quasi-hyperbolic momentum step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import loss_gradient


def quasi_hyperbolic(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """QHM: a step between that of gradient descent and that of momentum.

    The share ν of the step is a long memory, the rest is the new gradient, which counts at once. ν = 0 is gradient
    descent, ν = 1 momentum with dampening β, ν = β Nesterov's method with its rate times 1 − β.

        m ← β · m + (1 − β) · g
        w ← w − lr · ((1 − ν) · g + ν · m)

    Arguments: lr > 0; 0 ≤ momentum (β) < 1; 0 ≤ nu (ν) ≤ 1; weight_decay ≥ 0, coupled; maximize. Defaults are those
    that the paper recommends: β = 0.999, ν = 0.7.
    Reference: Ma and Yarats, Quasi-Hyperbolic Momentum and Adam for Deep Learning, 2019.
    torch.optim has no such method. As pytorch_optimizer.QHM, whose defaults β = 0, ν = 1 are gradient descent.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    mean_DR = torch.lerp(state["mean"], gradient_DR, rows["one_minus_momentum"])
    step_DR = torch.lerp(gradient_DR, mean_DR, rows["nu"])
    return torch.addcmul(weights_DR, step_DR, rows["lr"], value=-1), {"mean": mean_DR}


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    return {**settings, "one_minus_momentum": 1 - settings["momentum"]}


QUASI_HYPERBOLIC = Optimizer(
    kind="quasi_hyperbolic",
    rows=_rows,
    update=quasi_hyperbolic,
    settings={"lr": math.nan, "momentum": 0.999, "nu": 0.7, "weight_decay": 0.0},
    switches=("weight_decay",),
    flags=("maximize",),
    state=("mean",),
    momentum="momentum",
)
