"""How does RAdam step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import decayed, loss_gradient
from worker.engine.updates.moments import moments


def radam(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """RAdam: Adam with a warm-up that is worked out instead of tuned.

    The running mean of squares is a poor estimate as long as few gradients are in it. While it stands for at most five
    of them the step is that of momentum; then it is Adam's, shortened by how uncertain the estimate still is.

        m, s, m̂ = m/(1 − β₁ᵗ), ŝ = s/(1 − β₂ᵗ) as Adam's
        ρ∞ = 2/(1 − β₂) − 1,  ρ = ρ∞ − 2t · β₂ᵗ/(1 − β₂ᵗ)
        ρ > 5:  w ← w − lr · √((ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ)) · √(1 − β₂ᵗ) · m̂ / (√s + ε)
        else:   w ← w − lr · m̂

    Arguments: lr > 0 (torch's default is 0.001); 0 ≤ beta1, beta2 < 1; eps ≥ 0; weight_decay ≥ 0, coupled unless
    decoupled_weight_decay; maximize.
    Reference: Liu, Jiang, He, Chen, Liu, Gao and Han, On the Variance of the Adaptive Learning Rate and Beyond, 2020.
    As torch.optim.RAdam.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    weights_DR = decayed(weights_DR, rows, terms)
    mean_DR, square_DR = moments(state["mean"], state["square"], gradient_DR, rows)
    adapted_DR = rows["rectified"] / (torch.sqrt(square_DR) + rows["eps"])
    factor_DR = torch.where(rows["is_rectified"] > 0, adapted_DR, 1.0)
    new_DR = torch.addcmul(weights_DR, rows["step_size"] * mean_DR, factor_DR, value=-1)
    return new_DR, {"mean": mean_DR, "square": square_DR}


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    decay = settings["beta2"] ** updates_T1
    longest = 2 / (1 - settings["beta2"]) - 1
    length = longest - 2 * updates_T1 * decay / (1 - decay)
    ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    is_rectified = length > 5
    return {
        "one_minus_beta1": 1 - settings["beta1"],
        "one_minus_beta2": 1 - settings["beta2"],
        "step_size": settings["lr"] / (1 - settings["beta1"] ** updates_T1),
        "is_rectified": is_rectified.double(),
        "rectified": torch.where(is_rectified, torch.sqrt(ratio * (1 - decay)), 0.0),
        "eps": settings["eps"],
        "weight_decay": settings["weight_decay"],
        "shrink": 1 - settings["lr"] * settings["weight_decay"],
    }


RADAM = Optimizer(
    kind="radam",
    rows=_rows,
    update=radam,
    settings={"lr": math.nan, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0},
    switches=("weight_decay",),
    flags=("decoupled_weight_decay", "maximize"),
    state=("mean", "square"),
    momentum="beta1",
)
