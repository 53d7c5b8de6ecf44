"""How does Adagrad step?"""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, State
from worker.engine.updates.gradient import loss_gradient


def adagrad(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str]
) -> tuple[Tensor, State]:
    """Adagrad: every parameter has its own rate, and each gradient that it has ever seen slows it down.

    Parameters that are seldom moved keep a large rate. The sum only grows, so steps shrink like 1/√t even on a
    straight slope.

        s ← s + g²
        w ← w − lr/(1 + (t − 1) · lr_decay) · g / (√s + ε)

    Arguments: lr > 0 (torch's default is 0.01); lr_decay ≥ 0; weight_decay ≥ 0; initial_accumulator_value ≥ 0, where s
    starts; eps ≥ 0; maximize.
    Reference: Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization,
    2011.
    As torch.optim.Adagrad.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    sum_DR = torch.addcmul(state["sum"], gradient_DR, gradient_DR)
    scale_DR = torch.sqrt(sum_DR) + rows["eps"]
    return torch.addcdiv(weights_DR, rows["lr"] * gradient_DR, scale_DR, value=-1), {"sum": sum_DR}


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    rows = {**settings}
    if "lr_decay" in terms:
        rows["lr"] = settings["lr"] / (1 + (updates_T1 - 1) * settings["lr_decay"])
    return rows


ADAGRAD = Optimizer(
    kind="adagrad",
    rows=_rows,
    update=adagrad,
    settings={
        "lr": math.nan,
        "lr_decay": 0.0,
        "weight_decay": 0.0,
        "initial_accumulator_value": 0.0,
        "eps": 1e-10,
    },
    switches=("lr_decay", "weight_decay"),
    flags=("maximize",),
    state=("sum",),
    state_from={"sum": "initial_accumulator_value"},
)
