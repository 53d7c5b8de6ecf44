"""How does Adamax step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import loss_gradient


def adamax(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Adamax: Adam with the largest recent gradient in place of the root mean square.

    One large gradient shortens the steps that follow, and is forgotten at the rate β₂; small ones between two large
    ones count for nothing.

        m ← β₁ · m + (1 − β₁) · g
        u ← max(β₂ · u, |g| + ε)
        w ← w − lr/(1 − β₁ᵗ) · m / u

    Arguments: lr > 0 (torch's default is 0.002); 0 ≤ beta1, beta2 < 1; eps ≥ 0; weight_decay ≥ 0; maximize.
    Reference: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, section 7.1.
    As torch.optim.Adamax; the paper has no ε.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    mean_DR = torch.lerp(state["mean"], gradient_DR, rows["one_minus_beta1"])
    largest_DR = torch.maximum(rows["beta2"] * state["largest"], gradient_DR.abs() + rows["eps"])
    weights_DR = torch.addcdiv(weights_DR, rows["step_size"] * mean_DR, largest_DR, value=-1)
    return weights_DR, {"mean": mean_DR, "largest": largest_DR}


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    return {
        **settings,
        "one_minus_beta1": 1 - settings["beta1"],
        "step_size": settings["lr"] / (1 - settings["beta1"] ** updates_T1),
    }


ADAMAX = Optimizer(
    kind="adamax",
    rows=_rows,
    update=adamax,
    settings={"lr": math.nan, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0},
    switches=("weight_decay",),
    flags=("maximize",),
    state=("mean", "largest"),
    momentum="beta1",
)
