"""Gradient descent, momentum and Nesterov's method."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import loss_gradient


def sgd(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Steps against the gradient.

    On a quadratic with largest eigenvalue L it is stable below lr = 2/L; the flattest direction then converges slowest.

        w ← w − lr · g

    As torch.optim.SGD, which includes the heavy ball: with a momentum above 0 this is `momentum`.
    """
    if "momentum" in terms:
        return momentum(weights_DR, gradient_DR, state, coefficients, terms)
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    return torch.addcmul(weights_DR, gradient_DR, coefficients["lr"], value=-1), state


def momentum(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Heavy ball: past gradients add up to a velocity.

    Under a constant gradient the velocity grows to 1/(1 − β) times the gradient; under one of alternating sign it
    shrinks to 1/(1 + β) of it. Stable on a quadratic below lr = 2(1 + β)/L.

        v ← β · v + (1 − dampening) · g        (v = g at the first update)
        w ← w − lr · v

    As torch.optim.SGD, where the learning rate is outside the velocity.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    velocity_DR = _velocity(gradient_DR, state, coefficients, terms)
    return torch.addcmul(weights_DR, velocity_DR, coefficients["lr"], value=-1), {"velocity": velocity_DR}


def nesterov(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Momentum that steps along the predicted next velocity, so that it brakes sooner.

        v ← β · v + g
        w ← w − lr · (g + β · v)

    This is the look-ahead formula in the variable at which gradients are taken. Stable on a quadratic below
    lr = 2(1 + β)/((1 + 2β)L), which is less than gradient descent allows.

    As torch.optim.SGD with nesterov=True, which allows no dampening either.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    velocity_DR = _velocity(gradient_DR, state, coefficients, terms)
    ahead_DR = torch.addcmul(gradient_DR, velocity_DR, coefficients["momentum"])
    return torch.addcmul(weights_DR, ahead_DR, coefficients["lr"], value=-1), {"velocity": velocity_DR}


def _velocity(gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]) -> Tensor:
    if "dampening" in terms:
        gradient_DR = coefficients["share"] * gradient_DR
    return torch.addcmul(gradient_DR, state["velocity"], coefficients["momentum"])


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    coefficients = dict(hyper)
    if "dampening" in terms:
        # torch starts the velocity at the first gradient itself, and without momentum it has no velocity to dampen.
        undamped = (updates_T1 == 1) | (hyper["momentum"] == 0)
        coefficients["share"] = torch.where(undamped, 1.0, 1 - hyper["dampening"])
    return coefficients


SGD = Optimizer(
    kind="sgd",
    coefficients=_coefficients,
    update=sgd,
    hyper_parameters=("lr", "momentum", "dampening", "weight_decay"),
    switches=("momentum", "dampening", "weight_decay"),
    state_of_term={"momentum": "velocity"},
    momentum="momentum",
)
MOMENTUM = Optimizer(
    kind="momentum",
    coefficients=_coefficients,
    update=momentum,
    hyper_parameters=("lr", "momentum", "dampening", "weight_decay"),
    switches=("dampening", "weight_decay"),
    state=("velocity",),
    momentum="momentum",
)
NESTEROV = Optimizer(
    kind="nesterov",
    coefficients=_coefficients,
    update=nesterov,
    hyper_parameters=("lr", "momentum", "weight_decay"),
    switches=("weight_decay",),
    state=("velocity",),
    momentum="momentum",
)
