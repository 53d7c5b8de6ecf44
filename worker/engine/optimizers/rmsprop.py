"""RMSprop."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import loss_gradient


def rmsprop(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Divides the gradient by the root of a running mean of its squares, parameter by parameter.

    Steep and flat directions then move alike. The mean starts at zero without correction, so the first step is
    lr/√(1 − α): ten times lr at α = 0.99.

        s ← α · s + (1 − α) · g²
        a = √s                          centered: m ← α · m + (1 − α) · g, a = √(s − m²)
        w ← w − lr · g / (a + ε)        momentum: v ← β · v + g / (a + ε), w ← w − lr · v

    As torch.optim.RMSprop, in its order of arithmetic: s − m² cancels, and only the same rounding gives the same root.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    square_DR = torch.addcmul(
        coefficients["alpha"] * state["square"], coefficients["one_minus_alpha"] * gradient_DR, gradient_DR
    )
    new = {"square": square_DR}
    if "centered" in terms:
        mean_DR = new["mean"] = torch.lerp(state["mean"], gradient_DR, coefficients["one_minus_alpha"])
        square_DR = torch.addcmul(square_DR, mean_DR, mean_DR, value=-1)
    scale_DR = torch.sqrt(square_DR) + coefficients["eps"]
    if "momentum" in terms:
        velocity_DR = new["velocity"] = torch.addcdiv(
            coefficients["momentum"] * state["velocity"], gradient_DR, scale_DR
        )
        return torch.addcmul(weights_DR, velocity_DR, coefficients["lr"], value=-1), new
    return torch.addcdiv(weights_DR, coefficients["lr"] * gradient_DR, scale_DR, value=-1), new


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    return {**hyper, "one_minus_alpha": 1 - hyper["alpha"]}


RMSPROP = Optimizer(
    kind="rmsprop",
    coefficients=_coefficients,
    update=rmsprop,
    hyper_parameters=("lr", "alpha", "eps", "weight_decay", "momentum"),
    switches=("weight_decay", "momentum"),
    flags=("centered", "maximize"),
    state=("square",),
    state_of_term={"centered": "mean", "momentum": "velocity"},
    momentum="momentum",
)
