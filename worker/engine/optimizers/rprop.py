"""Rprop."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import loss_gradient


def rprop(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Steps by the sign of the gradient; a step grows while the sign stays and shrinks when it turns.

    For full batches: the noise of mini-batches turns signs, and all steps shrink. After a turn the parameter pauses for
    one update, and the turn is forgotten. lr is the first Δ, so a schedule of it acts at the first update only.

        p = g · g₋₁:  p > 0: Δ ← min(η₊ · Δ, step_max);  p < 0: Δ ← max(η₋ · Δ, step_min), g ← 0
        w ← w − Δ · sign(g)

    As torch.optim.Rprop, which does not undo the step after a turn (iRprop−, Igel and Hüsken, 2000).
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    agreement_DR = gradient_DR * state["previous"]
    factor_DR = torch.where(
        agreement_DR > 0, coefficients["eta_plus"], torch.where(agreement_DR < 0, coefficients["eta_minus"], 1.0)
    )
    step_DR = torch.minimum(
        torch.maximum(state["step"] * factor_DR, coefficients["step_min"]), coefficients["step_max"]
    )
    gradient_DR = torch.where(agreement_DR < 0, 0.0, gradient_DR)
    weights_DR = torch.addcmul(weights_DR, torch.sign(gradient_DR), step_DR, value=-1)
    return weights_DR, {"previous": gradient_DR, "step": step_DR}


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    return dict(hyper)


RPROP = Optimizer(
    kind="rprop",
    coefficients=_coefficients,
    update=rprop,
    hyper_parameters=("lr", "eta_minus", "eta_plus", "step_min", "step_max"),
    state=("previous", "step"),
    state_from={"step": "lr"},
)
