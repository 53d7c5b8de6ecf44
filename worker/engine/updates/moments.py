"""How do running means of gradients and of their squares become Adam's step?"""

import torch
from torch import Tensor

from worker.engine.protocols import Rows


def moments(mean: Tensor, square: Tensor, gradient: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
    """m ← β₁ · m + (1 − β₁) · g and s ← β₂ · s + (1 − β₂) · g²."""
    # lerp(a, b, c) = a + c · (b − a): one pass over memory where β · a + (1 − β) · b takes three.
    return (
        torch.lerp(mean, gradient, rows["one_minus_beta1"]),
        torch.lerp(square, gradient * gradient, rows["one_minus_beta2"]),
    )


def corrected_step(weights: Tensor, mean: Tensor, square: Tensor, rows: Rows) -> Tensor:
    """w − lr · m̂ / (√ŝ + ε), where m̂ and ŝ make up for the zeros that the means began with."""
    scale = torch.sqrt(square) / rows["root_correction2"] + rows["eps"]
    return torch.addcdiv(weights, rows["step_size"] * mean, scale, value=-1)


def moment_rows(updates_T1: Tensor, settings: Rows, rate: str = "lr") -> dict[str, Tensor]:
    """What both functions need, from the settings `rate`, `beta1`, `beta2` and `eps`."""
    return {
        "one_minus_beta1": 1 - settings["beta1"],
        "one_minus_beta2": 1 - settings["beta2"],
        "step_size": settings[rate] / (1 - settings["beta1"] ** updates_T1),
        "root_correction2": torch.sqrt(1 - settings["beta2"] ** updates_T1),
        "eps": settings["eps"],
    }
