"""How do Adam and AdamW step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import decayed, loss_gradient
from worker.engine.updates.moments import corrected_step, moment_rows, moments


def adam(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Adam: a running mean of gradients, in units of their running root mean square, parameter by parameter.

    Multiplying the loss by a constant changes nothing but the weight of ε: what counts is how steadily a gradient
    keeps its sign. The first step is lr · g/(|g| + ε), so lr in every parameter.

        m ← β₁ · m + (1 − β₁) · g
        s ← β₂ · s + (1 − β₂) · g²
        w ← w − lr/(1 − β₁ᵗ) · m / (√s / √(1 − β₂ᵗ) + ε)        (with amsgrad, the largest s so far stands for s)

    Arguments: lr > 0; 0 ≤ beta1, beta2 < 1; eps ≥ 0; weight_decay ≥ 0 (coupled: added to the gradient);
    decoupled_weight_decay, which makes it AdamW; amsgrad; maximize.
    Reference: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015; amsgrad: Reddi, Kale and Kumar, On the
    Convergence of Adam and Beyond, 2018.
    As torch.optim.Adam.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    weights_DR = decayed(weights_DR, rows, terms)
    mean_DR, square_DR = moments(state["mean"], state["square"], gradient_DR, rows)
    state = {"mean": mean_DR, "square": square_DR, **{k: state[k] for k in state if k == "largest_square"}}
    if "amsgrad" in terms:
        square_DR = state["largest_square"] = torch.maximum(state["largest_square"], square_DR)
    return corrected_step(weights_DR, mean_DR, square_DR, rows), state


def adamw(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """AdamW: Adam whose weight decay acts on the weights, not on the gradient that Adam would rescale.

        w ← (1 − lr · weight_decay) · w, then Adam's step with the gradient of the loss alone

    Arguments: as Adam's; weight_decay is 0.01 unless given.
    Reference: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019.
    As torch.optim.AdamW.
    """
    return adam(weights_DR, gradient_DR, state, rows, terms | {"decoupled_weight_decay"})


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    return {
        **moment_rows(updates_T1, settings),
        "weight_decay": settings["weight_decay"],
        "shrink": 1 - settings["lr"] * settings["weight_decay"],
    }


_SETTINGS = {"lr": math.nan, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
ADAM = Optimizer(
    kind="adam",
    rows=_rows,
    update=adam,
    settings=_SETTINGS,
    switches=("weight_decay",),
    flags=("amsgrad", "decoupled_weight_decay", "maximize"),
    state=("mean", "square"),
    state_of_term={"amsgrad": "largest_square"},
    momentum="beta1",
)
ADAMW = Optimizer(
    kind="adamw",
    rows=_rows,
    update=adamw,
    settings={**_SETTINGS, "weight_decay": 0.01},
    switches=("weight_decay",),
    flags=("amsgrad", "maximize"),
    state=("mean", "square"),
    state_of_term={"amsgrad": "largest_square"},
    momentum="beta1",
)
