"""Muon, with AdamW for parameters that are not matrices."""

import math

import torch
from torch import Tensor

from worker.engine.protocols import Coefficients, HyperParameters, Optimizer, Shapes, State
from worker.engine.updates.gradient import loss_gradient
from worker.engine.updates.moments import corrected_step, moment_coefficients, moments
from worker.engine.updates.tensors import columns, length, tensors

# The quintic a·x + b·x³ + c·x⁵ of Jordan's Muon: steep at zero, and within 0.7 … 1.2 after five turns, but not at 1.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_TURNS = 5
_SMALLEST_NORM = 1e-7


def muon(
    weights_DR: Tensor,
    gradient_DR: Tensor,
    state: State,
    coefficients: Coefficients,
    terms: frozenset[str],
    shapes: Shapes,
) -> tuple[Tensor, State]:
    """Momentum whose step is made nearly orthogonal, so that a matrix moves equally in all directions.

    Gradients of a layer are close to low rank. The step keeps the singular vectors of the momentum and makes its
    singular values about equal. Vectors are trained by AdamW.

        m ← β · m + (1 − β) · g
        u = NS(lerp(g, m, β))        (without nesterov: NS(m))
        w ← (1 − lr · weight_decay) · w − lr · √max(1, rows/columns) · u

    match_rms_adamw replaces the root by 0.2 · √max(rows, columns). NS is the Newton–Schulz iteration: X = M/‖M‖, then
    five times X ← a·X + (b·XXᵀ + c·(XXᵀ)²)·X. A schedule of the learning rate multiplies lr and adamw_lr.

    As torch.optim.Muon combined with AdamW, except that torch iterates in bfloat16. Here the iteration has the dtype of
    the weights, so that a run is exact and the same on every machine.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, coefficients, terms)
    squares = iter(tensors(state["square"], tuple(shape for shape in shapes if len(shape) != 2)))
    new_weights, new_means, new_squares = [], [], []
    for weights, gradient, mean in zip(
        tensors(weights_DR, shapes), tensors(gradient_DR, shapes), tensors(state["mean"], shapes), strict=True
    ):
        if weights.ndim == 3:
            mean = torch.lerp(mean, gradient, coefficients["one_minus_momentum"])
            step = torch.lerp(gradient, mean, coefficients["momentum"]) if "nesterov" in terms else mean
            num_rows, num_columns, _ = weights.shape
            if "match_rms_adamw" in terms:
                ratio = 0.2 * math.sqrt(max(num_rows, num_columns))
            else:
                ratio = math.sqrt(max(1, num_rows / num_columns))
            weights = weights * coefficients["shrink"] - ratio * coefficients["lr"] * orthogonalized(step)
        else:
            mean, square = moments(mean, next(squares), gradient, coefficients)
            weights = corrected_step(weights * coefficients["adamw_shrink"], mean, square, coefficients)
            new_squares.append(square)
        new_weights.append(weights)
        new_means.append(mean)
    square_DR = columns(new_squares) if new_squares else state["square"]
    return columns(new_weights), {"mean": columns(new_means), "square": square_DR}


def orthogonalized(matrices_MNR: Tensor) -> Tensor:
    """The nearly orthogonal matrices [M, N, R] with the singular vectors of the given ones.

    All runs at once, by batched products of [R, M, N]. A product of a batch is the same for a run whatever the others:
    the kernels were compared bit by bit from 1 to 4,096 runs and up to 128 × 128 (tests/worker/engine/test_muon.py).
    """
    matrices_MNR = matrices_MNR / length(matrices_MNR).clamp(min=_SMALLEST_NORM)
    is_tall = matrices_MNR.shape[0] > matrices_MNR.shape[1]
    x_RMN = matrices_MNR.permute(2, 1, 0) if is_tall else matrices_MNR.permute(2, 0, 1)
    x_RMN = x_RMN.contiguous()
    for _ in range(_TURNS):
        gram_RMM = torch.bmm(x_RMN, x_RMN.mT)
        polynomial_RMM = torch.baddbmm(gram_RMM, gram_RMM, gram_RMM, beta=_B, alpha=_C)
        x_RMN = torch.baddbmm(x_RMN, polynomial_RMM, x_RMN, beta=_A)
    return x_RMN.permute(2, 1, 0) if is_tall else x_RMN.permute(1, 2, 0)


def _coefficients(updates_T1: Tensor, hyper: HyperParameters, terms: frozenset[str]) -> dict[str, Tensor]:
    return {
        **moment_coefficients(updates_T1, hyper, rate="adamw_lr"),
        "lr": hyper["lr"],
        "momentum": hyper["momentum"],
        "one_minus_momentum": 1 - hyper["momentum"],
        "shrink": 1 - hyper["lr"] * hyper["weight_decay"],
        "adamw_shrink": 1 - hyper["adamw_lr"] * hyper["adamw_weight_decay"],
    }


def _num_outside_matrices(shapes: Shapes) -> int:
    return sum(math.prod(shape) for shape in shapes if len(shape) != 2)


MUON = Optimizer(
    kind="muon",
    coefficients=_coefficients,
    update=muon,
    hyper_parameters=("lr", "momentum", "weight_decay", "adamw_lr", "beta1", "beta2", "eps", "adamw_weight_decay"),
    flags=("nesterov", "match_rms_adamw", "maximize"),
    state=("mean", "square"),
    state_sizes={"square": _num_outside_matrices},
    rates=("lr", "adamw_lr"),
    momentum="momentum",
    by_tensor=True,
    needs_matrices=True,
)
