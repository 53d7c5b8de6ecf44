"""Running means of gradients and of their squares, and the step of Adam from them."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters


def moments(mean: Tensor, square: Tensor, gradient: Tensor, coefficients: Coefficients) -> tuple[Tensor, Tensor]:
    """m ← β₁ · m + (1 − β₁) · g and s ← β₂ · s + (1 − β₂) · g²."""
    # lerp(a, b, c) = a + c · (b − a): one pass over memory where β · a + (1 − β) · b takes three.
    return (
        torch.lerp(mean, gradient, coefficients["one_minus_beta1"]),
        torch.lerp(square, gradient * gradient, coefficients["one_minus_beta2"]),
    )


def corrected_step(weights: Tensor, mean: Tensor, square: Tensor, coefficients: Coefficients) -> Tensor:
    """w − lr · m̂ / (√ŝ + ε), where m̂ and ŝ correct for the start of the means at zero."""
    scale = torch.sqrt(square) / coefficients["root_correction2"] + coefficients["eps"]
    return torch.addcdiv(weights, coefficients["step_size"] * mean, scale, value=-1)


def moment_coefficients(updates_T1: Tensor, hyper: HyperParameters, rate: str = "lr") -> dict[str, Tensor]:
    """Coefficients of both functions, from the hyper-parameters `rate`, `beta1`, `beta2` and `eps`."""
    return {
        "one_minus_beta1": 1 - hyper["beta1"],
        "one_minus_beta2": 1 - hyper["beta2"],
        "step_size": hyper[rate] / (1 - hyper["beta1"] ** updates_T1),
        "root_correction2": torch.sqrt(1 - hyper["beta2"] ** updates_T1),
        "eps": hyper["eps"],
    }
