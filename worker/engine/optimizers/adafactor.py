"""Adafactor."""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, Shapes, State
from worker.engine.updates.gradient import decayed, loss_gradient
from worker.engine.updates.tensors import columns, length, tensors


def adafactor(
    weights_DR: Tensor,
    gradient_DR: Tensor,
    state: State,
    coefficients: Coefficients,
    terms: frozenset[str],
    shapes: Shapes,
) -> tuple[Tensor, State]:
    """Adam's denominators from row and column means of squares.

    A matrix of m × n parameters has m + n numbers of state; a vector has one for each parameter. There is no momentum,
    and learning rates are relative to the size of the tensor.

        V ← lerp(V, g², t^beta2_decay)        for matrices: r · c/mean(r), of the row means r and column means c
        u = g/√V,  u ← u/max(1, rms(u)/d)
        w ← (1 − lr · weight_decay) · w − max(eps2, rms(w)) · min(lr, 1/√t) · u

    As torch.optim.Adafactor with its default of ε₁, the machine epsilon of the weights' dtype.
    """
    terms |= {"decoupled_weight_decay"}
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    variances = state["variance"].split_with_sizes([_num_factors(shape) for shape in shapes])
    new_variances, new_weights = [], []
    for weights, kept, gradient, variance in zip(
        tensors(weights_DR, shapes),
        tensors(decayed(weights_DR, coefficients, terms), shapes),
        tensors(gradient_DR, shapes),
        variances,
        strict=True,
    ):
        variance, estimate = (_factored if gradient.ndim > 2 else _whole)(variance, gradient, coefficients["share"])
        smallest = torch.finfo(gradient.dtype).eps ** 2
        step = gradient * torch.rsqrt(estimate.clamp(min=smallest))
        root_num = math.sqrt(math.prod(weights.shape[:-1]))
        clipping_R = (length(step) / (root_num * coefficients["d"])).clamp(min=1)
        rate_R = torch.maximum(coefficients["eps2"], length(weights) / root_num) * coefficients["relative_rate"]
        new_weights.append(kept - rate_R / clipping_R * step)
        new_variances.append(variance)
    return columns(new_weights), {"variance": torch.cat(new_variances)}


def _whole(variance: Tensor, gradient: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    variance = torch.lerp(variance, gradient * gradient, share)
    return variance, variance


def _factored(variance: Tensor, gradient: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """Row means and column means of the last two axes, and the estimate [..., m, n, R] that they stand for."""
    squares = (gradient * gradient).reshape(-1, *gradient.shape[-3:])
    num, m, n, _ = squares.shape
    means = torch.cat([squares.mean(2).flatten(0, 1), squares.mean(1).flatten(0, 1)])
    variance = torch.lerp(variance, means, share)
    row, column = variance.split_with_sizes([num * m, num * n])
    row, column = row.view(num, m, 1, -1), column.view(num, 1, n, -1)
    whole = row.mean(1, keepdim=True).clamp(min=torch.finfo(gradient.dtype).eps)
    return variance, (row * column / whole).reshape(gradient.shape)


def _num_factors(shape: tuple[int, ...]) -> int:
    return math.prod(shape[:-2]) * (shape[-2] + shape[-1]) if len(shape) > 1 else math.prod(shape)


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    return {
        "share": updates_T1 ** hyper["beta2_decay"],
        "relative_rate": torch.minimum(hyper["lr"], 1 / torch.sqrt(updates_T1)),
        "eps2": hyper["eps2"],
        "d": hyper["d"],
        "shrink": 1 - hyper["lr"] * hyper["weight_decay"],
    }


ADAFACTOR = Optimizer(
    kind="adafactor",
    coefficients=_coefficients,
    update=adafactor,
    hyper_parameters=("lr", "beta2_decay", "eps2", "d", "weight_decay"),
    switches=("weight_decay",),
    state=("variance",),
    state_sizes={"variance": lambda shapes: sum(map(_num_factors, shapes))},
    by_tensor=True,
)
