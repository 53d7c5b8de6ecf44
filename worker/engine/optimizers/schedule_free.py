"""How do the schedule-free methods step, and at which point do they answer?

They keep three points: z, which descends; x, the weighted mean of all z, which is the answer; and y between the two,
where gradients are taken. The weights of a run are y, its state has z, and x follows from both.
"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import loss_gradient


def schedule_free_sgd(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Schedule-free SGD: averaging in place of a decaying rate, so that nobody need know where training ends.

    A rate that decays to zero gives the accuracy of an average; the average is had here at every moment.

        y = (1 − β) · z + β · x
        z ← z − lr · ∇f(y)
        x ← (1 − c) · x + c · z,  c = γ/Σγ,  γ = tʳ · (largest lr so far)^weight_lr_power

    Histories tell of x.

    Arguments: lr > 0; 0 < momentum (β) < 1; weight_decay ≥ 0, coupled at y; r ≥ 0; weight_lr_power ≥ 0; maximize.
    β is no velocity's memory but a place between two points; a schedule of it would move y against x, so it has none.
    Reference: Defazio, Yang, Mehta, Mishchenko, Khaled and Cutkosky, The Road Less Scheduled, 2024.
    torch.optim has no such method. As pytorch_optimizer.ScheduleFreeSGD, whose eval() is x.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    return _step(weights_DR, gradient_DR, state, rows)


def schedule_free_adamw(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Schedule-free AdamW: the same averaging around steps in units of the root mean square.

        s ← β₂ · s + (1 − β₂) · g²
        the method above, with β₁ for β and g/(√(s/(1 − β₂ᵗ)) + ε) + weight_decay · y for its gradient

    Arguments: lr > 0; 0 < beta1 < 1; 0 ≤ beta2 < 1; eps ≥ 0; weight_decay ≥ 0, decoupled at y; r ≥ 0;
    weight_lr_power ≥ 0; maximize.
    Reference: as above.
    torch.optim has no such method. pytorch_optimizer.ScheduleFreeAdamW differs by 1e-15 that it adds to s under the
    root, which the paper and its authors' program do not.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms | {"decoupled_weight_decay"})
    square_DR = torch.lerp(state["square"], gradient_DR * gradient_DR, rows["one_minus_beta2"])
    step_DR = gradient_DR / (torch.sqrt(square_DR / rows["correction2"]) + rows["eps"])
    if "weight_decay" in terms:
        step_DR = torch.addcmul(step_DR, weights_DR, rows["weight_decay"])
    weights_DR, new = _step(weights_DR, step_DR, state, rows)
    return weights_DR, {**new, "square": square_DR}


def _step(weights_DR: Tensor, step_DR: Tensor, state: State, rows: Rows) -> tuple[Tensor, State]:
    highest_1R = torch.maximum(state["highest_rate"], rows["lr"])
    weight_1R = rows["time_weight"] * highest_1R ** rows["weight_lr_power"]
    sum_1R = state["weight_sum"] + weight_1R
    share_1R = torch.where(sum_1R > 0, weight_1R / sum_1R, 0.0)
    # What the two equations of x and z mean for y, which is all that is kept of x.
    along_1R = rows["lr"] * (rows["beta"] * (1 - share_1R) - 1)
    weights_DR = torch.addcmul(torch.lerp(weights_DR, state["z"], share_1R), along_1R, step_DR)
    z_DR = torch.addcmul(state["z"], rows["lr"], step_DR, value=-1)
    return weights_DR, {"z": z_DR, "highest_rate": highest_1R, "weight_sum": sum_1R}


def _mean_point(weights_DR: Tensor, state: State, rows: Rows) -> Tensor:
    return torch.lerp(weights_DR, state["z"], rows["from_y_to_x"])


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    beta = settings.get("momentum", settings.get("beta1"))
    assert beta is not None
    rows = {
        "lr": settings["lr"],
        "beta": beta,
        "from_y_to_x": 1 - 1 / beta,
        "time_weight": updates_T1 ** settings["r"],
        "weight_lr_power": settings["weight_lr_power"],
        "weight_decay": settings["weight_decay"],
    }
    if "beta2" in settings:
        rows["one_minus_beta2"] = 1 - settings["beta2"]
        rows["correction2"] = 1 - settings["beta2"] ** updates_T1
        rows["eps"] = settings["eps"]
    return rows


SCHEDULE_FREE_SGD = Optimizer(
    kind="schedule_free_sgd",
    rows=_rows,
    update=schedule_free_sgd,
    settings={"lr": math.nan, "momentum": 0.9, "weight_decay": 0.0, "r": 0.0, "weight_lr_power": 2.0},
    switches=("weight_decay",),
    flags=("maximize",),
    state=("z",),
    run_state=("highest_rate", "weight_sum"),
    state_from={"z": "weights"},
    evaluation_point=_mean_point,
)
SCHEDULE_FREE_ADAMW = Optimizer(
    kind="schedule_free_adamw",
    rows=_rows,
    update=schedule_free_adamw,
    settings={
        "lr": math.nan,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "r": 0.0,
        "weight_lr_power": 2.0,
    },
    switches=("weight_decay",),
    flags=("maximize",),
    state=("z", "square"),
    run_state=("highest_rate", "weight_sum"),
    state_from={"z": "weights"},
    evaluation_point=_mean_point,
)
