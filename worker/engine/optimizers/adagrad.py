"""Adagrad."""

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, State
from worker.engine.updates.gradient import loss_gradient


def adagrad(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, coefficients: Coefficients, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Divides the gradient by the root of the sum of all its squares, parameter by parameter.

    Parameters with few or small gradients keep a large rate. The sum only grows, so on a constant slope steps shrink as
    1/√t.

        s ← s + g²
        w ← w − lr/(1 + (t − 1) · lr_decay) · g / (√s + ε)

    As torch.optim.Adagrad.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    sum_DR = torch.addcmul(state["sum"], gradient_DR, gradient_DR)
    scale_DR = torch.sqrt(sum_DR) + coefficients["eps"]
    return torch.addcdiv(weights_DR, coefficients["lr"] * gradient_DR, scale_DR, value=-1), {"sum": sum_DR}


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    coefficients = {**hyper}
    if "lr_decay" in terms:
        coefficients["lr"] = hyper["lr"] / (1 + (updates_T1 - 1) * hyper["lr_decay"])
    return coefficients


ADAGRAD = Optimizer(
    kind="adagrad",
    coefficients=_coefficients,
    update=adagrad,
    hyper_parameters=("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"),
    switches=("lr_decay", "weight_decay"),
    state=("sum",),
    state_from={"sum": "initial_accumulator_value"},
)
