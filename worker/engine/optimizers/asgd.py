"""Averaged stochastic gradient descent."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import loss_gradient


def asgd(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """SGD whose result is the mean of its iterates.

    With gradient noise, iterates of SGD wander around the minimum and their mean converges. Until update t0 the result
    is the iterate itself.

        w ← (1 − lambd · η) · w − η · g
        a ← a + μ · (w − a)
        η ← lr/(1 + lambd · lr · t)^alpha,  μ ← 1/max(1, t − t0)        (η = lr and μ = 1 at the first update)

    Histories record a.

    As torch.optim.ASGD, whose `ax` is a. torch keeps η and μ in its default dtype, float32, also where weights are
    float64.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    rate_1R = state["rate"]
    weights_DR = weights_DR * (1 - coefficients["lambd"] * rate_1R) - rate_1R * gradient_DR
    average_DR = torch.lerp(state["average"], weights_DR, coefficients["share"])
    return weights_DR, {"average": average_DR, "rate": coefficients["next_rate"][None]}


def _average(weights_DR: Tensor, state: State, coefficients: Coefficients) -> Tensor:
    return state["average"]


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    slowing = (1 + hyper["lambd"] * hyper["lr"] * updates_T1) ** hyper["alpha"]
    return {
        "lambd": hyper["lambd"],
        "next_rate": hyper["lr"] / slowing,
        "share": 1 / (updates_T1 - 1 - hyper["t0"]).clamp(min=1),
        "weight_decay": hyper["weight_decay"],
    }


ASGD = Optimizer(
    kind="asgd",
    coefficients=_coefficients,
    update=asgd,
    hyper_parameters=("lr", "lambd", "alpha", "t0", "weight_decay"),
    switches=("weight_decay",),
    state=("average",),
    run_state=("rate",),
    state_from={"average": "weights", "rate": "lr"},
    evaluation_point=_average,
)
