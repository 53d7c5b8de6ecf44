"""Adam and AdamW."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import decayed, loss_gradient
from worker.engine.updates.moments import corrected_step, moment_coefficients, moments


def adam(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """A running mean of gradients divided by their running root mean square, parameter by parameter.

    Scaling the loss by a constant changes only the weight of ε: the step depends on how steadily a gradient keeps its
    sign. The first step is lr · g/(|g| + ε), about lr in every parameter.

        m ← β₁ · m + (1 − β₁) · g
        s ← β₂ · s + (1 − β₂) · g²
        w ← w − lr/(1 − β₁ᵗ) · m / (√s / √(1 − β₂ᵗ) + ε)        (amsgrad: the largest s so far replaces s)

    As torch.optim.Adam.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    weights_DR = decayed(weights_DR, coefficients, terms)
    mean_DR, square_DR = moments(state["mean"], state["square"], gradient_DR, coefficients)
    state = {"mean": mean_DR, "square": square_DR, **{k: state[k] for k in state if k == "largest_square"}}
    if "amsgrad" in terms:
        square_DR = state["largest_square"] = torch.maximum(state["largest_square"], square_DR)
    return corrected_step(weights_DR, mean_DR, square_DR, coefficients), state


def adamw(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Adam with weight decay applied to the weights instead of the gradient.

        w ← (1 − lr · weight_decay) · w, then Adam's step with the gradient of the loss alone

    As torch.optim.AdamW.
    """
    return adam(weights_DR, gradient_DR, state, coefficients, terms | {"decoupled_weight_decay"})


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    return {
        **moment_coefficients(updates_T1, hyper),
        "weight_decay": hyper["weight_decay"],
        "shrink": 1 - hyper["lr"] * hyper["weight_decay"],
    }


_HYPER_PARAMETERS = ("lr", "beta1", "beta2", "eps", "weight_decay")
ADAM = Optimizer(
    kind="adam",
    coefficients=_coefficients,
    update=adam,
    hyper_parameters=_HYPER_PARAMETERS,
    switches=("weight_decay",),
    flags=("amsgrad", "decoupled_weight_decay", "maximize"),
    state=("mean", "square"),
    state_of_term={"amsgrad": "largest_square"},
    momentum="beta1",
)
ADAMW = Optimizer(
    kind="adamw",
    coefficients=_coefficients,
    update=adamw,
    hyper_parameters=_HYPER_PARAMETERS,
    switches=("weight_decay",),
    flags=("amsgrad", "maximize"),
    state=("mean", "square"),
    state_of_term={"amsgrad": "largest_square"},
    momentum="beta1",
)
