"""How does Rprop step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import loss_gradient


def rprop(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Rprop: only the gradient's sign counts; a parameter's step grows while the sign stays and shrinks when it turns.

    Made for full batches: the noise of mini-batches turns signs, and all steps shrink. After a turn the parameter rests
    for one update, and the turn is forgotten.

        p = g · g₋₁:  p > 0: Δ ← min(η₊ · Δ, step_max);  p < 0: Δ ← max(η₋ · Δ, step_min), g ← 0
        w ← w − Δ · sign(g)

    Arguments: lr > 0, the first Δ (torch's default is 0.01), so that a schedule of the rate matters at the first update
    only; 0 < eta_minus < 1 < eta_plus; 0 ≤ step_min ≤ step_max; maximize.
    Reference: Riedmiller and Braun, A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm,
    1993.
    As torch.optim.Rprop, which does not take the step back after a turn (iRprop−, Igel and Hüsken, 2000).
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    agreement_DR = gradient_DR * state["previous"]
    factor_DR = torch.where(agreement_DR > 0, rows["eta_plus"], torch.where(agreement_DR < 0, rows["eta_minus"], 1.0))
    step_DR = torch.minimum(torch.maximum(state["step"] * factor_DR, rows["step_min"]), rows["step_max"])
    gradient_DR = torch.where(agreement_DR < 0, 0.0, gradient_DR)
    weights_DR = torch.addcmul(weights_DR, torch.sign(gradient_DR), step_DR, value=-1)
    return weights_DR, {"previous": gradient_DR, "step": step_DR}


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    return dict(settings)


RPROP = Optimizer(
    kind="rprop",
    rows=_rows,
    update=rprop,
    settings={"lr": math.nan, "eta_minus": 0.5, "eta_plus": 1.2, "step_min": 1e-6, "step_max": 50.0},
    flags=("maximize",),
    state=("previous", "step"),
    state_from={"step": "lr"},
)
