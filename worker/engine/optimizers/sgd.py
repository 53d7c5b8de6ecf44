"""How do gradient descent, momentum and Nesterov's method step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import loss_gradient


def sgd(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Stochastic gradient descent: step downhill, as far as the slope is steep.

    One rate for all directions must suit the steepest: on a quadratic with largest curvature L it is stable below
    2/L, and the flattest direction then waits.

        w ← w − lr · g

    Arguments: lr > 0; weight_decay ≥ 0; maximize; momentum and dampening as in the heavy ball below, 0 unless given.
    Reference: Robbins and Monro, A Stochastic Approximation Method, 1951.
    As torch.optim.SGD, whose class also holds the heavy ball: with a momentum above 0 this is that method.
    """
    if "momentum" in terms:
        return momentum(weights_DR, gradient_DR, state, rows, terms)
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    return torch.addcmul(weights_DR, gradient_DR, rows["lr"], value=-1), state


def momentum(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Heavy ball: a velocity remembers past gradients; what they agree on adds up, what they dispute cancels.

    Under a constant gradient the velocity grows to 1/(1 − β) times the gradient; under one of alternating sign it
    shrinks to 1/(1 + β) of it. Stable on a quadratic below lr = 2(1 + β)/L.

        v ← β · v + (1 − dampening) · g        (v = g at the first update)
        w ← w − lr · v

    Arguments: lr > 0; 0 ≤ momentum (β) < 1; 0 ≤ dampening ≤ 1; weight_decay ≥ 0; maximize.
    Reference: Polyak, Some Methods of Speeding Up the Convergence of Iteration Methods, 1964.
    As torch.optim.SGD, whose rate stands outside the velocity.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    velocity_DR = _velocity(gradient_DR, state, rows, terms)
    return torch.addcmul(weights_DR, velocity_DR, rows["lr"], value=-1), {"velocity": velocity_DR}


def nesterov(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Nesterov's momentum: the gradient counts where the velocity is about to carry the weights: it brakes sooner.

        v ← β · v + g
        w ← w − lr · (g + β · v)

    This is the look-ahead formula in the variable at which gradients are taken. Stable on a quadratic below
    lr = 2(1 + β)/((1 + 2β)L), which is less than gradient descent allows.

    Arguments: lr > 0; 0 ≤ momentum (β) < 1; weight_decay ≥ 0; maximize.
    Reference: Nesterov, A Method of Solving a Convex Programming Problem with Convergence Rate O(1/k²), 1983; in this
    form Sutskever, Martens, Dahl and Hinton, On the Importance of Initialization and Momentum in Deep Learning, 2013.
    As torch.optim.SGD with nesterov=True, which allows no dampening either.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    velocity_DR = _velocity(gradient_DR, state, rows, terms)
    ahead_DR = torch.addcmul(gradient_DR, velocity_DR, rows["momentum"])
    return torch.addcmul(weights_DR, ahead_DR, rows["lr"], value=-1), {"velocity": velocity_DR}


def _velocity(gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]) -> Tensor:
    if "dampening" in terms:
        gradient_DR = rows["share"] * gradient_DR
    return torch.addcmul(gradient_DR, state["velocity"], rows["momentum"])


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    rows = dict(settings)
    if "dampening" in terms:
        # torch starts the velocity at the first gradient itself, and without momentum it has no velocity to dampen.
        undamped = (updates_T1 == 1) | (settings["momentum"] == 0)
        rows["share"] = torch.where(undamped, 1.0, 1 - settings["dampening"])
    return rows


SGD = Optimizer(
    kind="sgd",
    rows=_rows,
    update=sgd,
    settings={"lr": math.nan, "momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0},
    switches=("momentum", "dampening", "weight_decay"),
    flags=("maximize",),
    state_of_term={"momentum": "velocity"},
    momentum="momentum",
)
MOMENTUM = Optimizer(
    kind="momentum",
    rows=_rows,
    update=momentum,
    settings={"lr": math.nan, "momentum": 0.9, "dampening": 0.0, "weight_decay": 0.0},
    switches=("dampening", "weight_decay"),
    flags=("maximize",),
    state=("velocity",),
    momentum="momentum",
)
NESTEROV = Optimizer(
    kind="nesterov",
    rows=_rows,
    update=nesterov,
    settings={"lr": math.nan, "momentum": 0.9, "weight_decay": 0.0},
    switches=("weight_decay",),
    flags=("maximize",),
    state=("velocity",),
    momentum="momentum",
)
