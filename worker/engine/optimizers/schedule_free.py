"""Schedule-free SGD and AdamW.

They have three points: z descends, x is the weighted mean of all z and the result, and gradients are taken at y between
the two. The weights of a run are y, its state has z, and x follows from both.
"""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import loss_gradient


def schedule_free_sgd(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Averaging in place of a decaying learning rate, so that the end of the training need not be known.

    The average is available at every update and is as accurate as the end of a decay to zero.

        y = (1 − β) · z + β · x
        z ← z − lr · ∇f(y)
        x ← (1 − c) · x + c · z,  c = γ/Σγ,  γ = tʳ · (largest lr so far)^weight_lr_power

    Histories record x. β is the position of y between z and x, not a memory: changing it would move y against x, so it
    has no schedule.

    torch.optim has no such method. As pytorch_optimizer.ScheduleFreeSGD, whose eval() is x.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    return _step(weights_DR, gradient_DR, state, coefficients)


def schedule_free_adamw(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """The averaging of schedule-free SGD around steps in units of the root mean square.

        s ← β₂ · s + (1 − β₂) · g²
        as above, with β₁ for β and g/(√(s/(1 − β₂ᵗ)) + ε) + weight_decay · y for its gradient

    torch.optim has no such method. pytorch_optimizer.ScheduleFreeAdamW adds 1e-15 to s under the root; the paper and
    the program of its authors do not.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms | {"decoupled_weight_decay"})
    square_DR = torch.lerp(state["square"], gradient_DR * gradient_DR, coefficients["one_minus_beta2"])
    step_DR = gradient_DR / (torch.sqrt(square_DR / coefficients["correction2"]) + coefficients["eps"])
    if "weight_decay" in terms:
        step_DR = torch.addcmul(step_DR, weights_DR, coefficients["weight_decay"])
    weights_DR, new = _step(weights_DR, step_DR, state, coefficients)
    return weights_DR, {**new, "square": square_DR}


def _step(weights_DR: Tensor, step_DR: Tensor, state: State, coefficients: Coefficients) -> tuple[Tensor, State]:
    highest_1R = torch.maximum(state["highest_rate"], coefficients["lr"])
    weight_1R = coefficients["time_weight"] * highest_1R ** coefficients["weight_lr_power"]
    sum_1R = state["weight_sum"] + weight_1R
    share_1R = torch.where(sum_1R > 0, weight_1R / sum_1R, 0.0)
    # What the two equations of x and z mean for y, which is all that is kept of x.
    along_1R = coefficients["lr"] * (coefficients["beta"] * (1 - share_1R) - 1)
    weights_DR = torch.addcmul(torch.lerp(weights_DR, state["z"], share_1R), along_1R, step_DR)
    z_DR = torch.addcmul(state["z"], coefficients["lr"], step_DR, value=-1)
    return weights_DR, {"z": z_DR, "highest_rate": highest_1R, "weight_sum": sum_1R}


def _mean_point(weights_DR: Tensor, state: State, coefficients: Coefficients) -> Tensor:
    return torch.lerp(weights_DR, state["z"], coefficients["from_y_to_x"])


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    beta = hyper.get("momentum", hyper.get("beta1"))
    assert beta is not None
    coefficients = {
        "lr": hyper["lr"],
        "beta": beta,
        "from_y_to_x": 1 - 1 / beta,
        "time_weight": updates_T1 ** hyper["r"],
        "weight_lr_power": hyper["weight_lr_power"],
        "weight_decay": hyper["weight_decay"],
    }
    if "beta2" in hyper:
        coefficients["one_minus_beta2"] = 1 - hyper["beta2"]
        coefficients["correction2"] = 1 - hyper["beta2"] ** updates_T1
        coefficients["eps"] = hyper["eps"]
    return coefficients


SCHEDULE_FREE_SGD = Optimizer(
    kind="schedule_free_sgd",
    coefficients=_coefficients,
    update=schedule_free_sgd,
    hyper_parameters=("lr", "momentum", "weight_decay", "r", "weight_lr_power"),
    switches=("weight_decay",),
    state=("z",),
    run_state=("highest_rate", "weight_sum"),
    state_from={"z": "weights"},
    evaluation_point=_mean_point,
)
SCHEDULE_FREE_ADAMW = Optimizer(
    kind="schedule_free_adamw",
    coefficients=_coefficients,
    update=schedule_free_adamw,
    hyper_parameters=("lr", "beta1", "beta2", "eps", "weight_decay", "r", "weight_lr_power"),
    switches=("weight_decay",),
    state=("z", "square"),
    run_state=("highest_rate", "weight_sum"),
    state_from={"z": "weights"},
    evaluation_point=_mean_point,
)
