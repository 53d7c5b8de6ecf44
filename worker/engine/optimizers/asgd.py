"""How does averaged stochastic gradient descent step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import loss_gradient


def asgd(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Averaged SGD: descend with noise, and answer with the mean of where you have been.

    Iterates of SGD wander around the minimum; their mean does not. Until update t0 the answer is the iterate itself.

        w ← (1 − lambd · η) · w − η · g
        a ← a + μ · (w − a)
        η ← lr/(1 + lambd · lr · t)^alpha,  μ ← 1/max(1, t − t0)        (η = lr and μ = 1 at the first update)

    Histories tell of a, the point that the method answers with.

    Arguments: lr > 0 (torch's default is 0.01); lambd ≥ 0; alpha ≥ 0; t0 ≥ 0; weight_decay ≥ 0; maximize.
    Reference: Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992.
    As torch.optim.ASGD, whose `ax` is a. torch keeps η and μ in its default dtype, float32, also where weights are
    float64.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    rate_1R = state["rate"]
    weights_DR = weights_DR * (1 - rows["lambd"] * rate_1R) - rate_1R * gradient_DR
    average_DR = torch.lerp(state["average"], weights_DR, rows["share"])
    return weights_DR, {"average": average_DR, "rate": rows["next_rate"][None]}


def _average(weights_DR: Tensor, state: State, rows: Rows) -> Tensor:
    return state["average"]


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    slowing = (1 + settings["lambd"] * settings["lr"] * updates_T1) ** settings["alpha"]
    return {
        "lambd": settings["lambd"],
        "next_rate": settings["lr"] / slowing,
        "share": 1 / (updates_T1 - 1 - settings["t0"]).clamp(min=1),
        "weight_decay": settings["weight_decay"],
    }


ASGD = Optimizer(
    kind="asgd",
    rows=_rows,
    update=asgd,
    settings={"lr": math.nan, "lambd": 1e-4, "alpha": 0.75, "t0": 1e6, "weight_decay": 0.0},
    switches=("weight_decay",),
    flags=("maximize",),
    state=("average",),
    run_state=("rate",),
    state_from={"average": "weights", "rate": "lr"},
    evaluation_point=_average,
)
