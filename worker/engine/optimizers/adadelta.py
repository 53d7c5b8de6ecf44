"""How does Adadelta step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import loss_gradient


def adadelta(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Adadelta: steps in the units of the weights, from the ratio of past steps to past gradients.

    No rate has to be chosen: lr = 1 is the paper's method. The first steps are about √ε long, so that it starts slowly
    whatever the problem.

        s ← ρ · s + (1 − ρ) · g²
        Δ = √(u + ε) / √(s + ε) · g
        u ← ρ · u + (1 − ρ) · Δ²
        w ← w − lr · Δ

    Arguments: lr > 0 (torch's default is 1); 0 ≤ rho (ρ) < 1; eps > 0; weight_decay ≥ 0; maximize.
    Reference: Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012.
    As torch.optim.Adadelta.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    square_DR = torch.lerp(state["square"], gradient_DR * gradient_DR, rows["one_minus_rho"])
    scale_DR = torch.sqrt(state["step_square"] + rows["eps"]) / torch.sqrt(square_DR + rows["eps"])
    step_DR = scale_DR * gradient_DR
    step_square_DR = torch.lerp(state["step_square"], step_DR * step_DR, rows["one_minus_rho"])
    weights_DR = torch.addcmul(weights_DR, rows["lr"], step_DR, value=-1)
    return weights_DR, {"square": square_DR, "step_square": step_square_DR}


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    return {**settings, "one_minus_rho": 1 - settings["rho"]}


ADADELTA = Optimizer(
    kind="adadelta",
    rows=_rows,
    update=adadelta,
    settings={"lr": math.nan, "rho": 0.9, "eps": 1e-6, "weight_decay": 0.0},
    switches=("weight_decay",),
    flags=("maximize",),
    state=("square", "step_square"),
)
