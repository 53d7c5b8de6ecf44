"""How does Muon step?"""

import math

import torch
from torch import Tensor

from worker.engine.optimizers.gradient import loss_gradient
from worker.engine.optimizers.moments import corrected_step, moment_rows, moments
from worker.engine.optimizers.tensors import columns, length, tensors
from worker.engine.protocols import Optimizer, Rows, Shapes, State

# The quintic a·x + b·x³ + c·x⁵ of Jordan's Muon: steep at zero, and within 0.7 … 1.2 after five turns, but not at 1.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_TURNS = 5
_SMALLEST_NORM = 1e-7


def muon(
    weights_DR: Tensor, gradient_DR: Tensor, state: State, rows: Rows, terms: frozenset[str], shapes: Shapes
) -> tuple[Tensor, State]:
    """Muon: momentum whose step is made orthogonal, so that a matrix moves in all its directions alike.

    Gradients of a layer are close to low rank: a few directions dominate. The step keeps the singular vectors of the
    velocity and makes its singular values about equal. Vectors have no such structure and are trained by AdamW.

        m ← β · m + (1 − β) · g
        u = NS(lerp(g, m, β))        (without nesterov: NS(m))
        w ← (1 − lr · weight_decay) · w − lr · √max(1, rows/columns) · u

    match_rms_adamw has 0.2 · √max(rows, columns) for the root, so that rates tuned for AdamW fit. NS, the iteration of
    Newton and Schulz, turns X = M/‖M‖ five times into a·X + (b·XXᵀ + c·(XXᵀ)²)·X.

    Arguments: lr > 0 (torch's default is 0.001); 0 ≤ momentum (β) < 1; weight_decay ≥ 0, decoupled; adamw_lr > 0,
    beta1, beta2, eps, adamw_weight_decay for what is not a matrix; nesterov; match_rms_adamw; maximize. A schedule of
    the rate multiplies both rates.
    Reference: Jordan et al., Muon: An Optimizer for Hidden Layers in Neural Networks, 2024; match_rms_adamw: Liu et
    al., Muon is Scalable for LLM Training, 2025.
    As torch.optim.Muon with AdamW beside it, except that torch iterates in bfloat16, whose three digits are enough for
    training; here it is the weights' own dtype, so that a run is exact and the same on every machine.
    """
    gradient_DR = loss_gradient(weights_DR, gradient_DR, rows, terms)
    squares = iter(tensors(state["square"], tuple(shape for shape in shapes if len(shape) != 2)))
    new_weights, new_means, new_squares = [], [], []
    for weights, gradient, mean in zip(
        tensors(weights_DR, shapes), tensors(gradient_DR, shapes), tensors(state["mean"], shapes), strict=True
    ):
        if weights.ndim == 3:
            mean = torch.lerp(mean, gradient, rows["one_minus_momentum"])
            step = torch.lerp(gradient, mean, rows["momentum"]) if "nesterov" in terms else mean
            num_rows, num_columns, _ = weights.shape
            if "match_rms_adamw" in terms:
                ratio = 0.2 * math.sqrt(max(num_rows, num_columns))
            else:
                ratio = math.sqrt(max(1, num_rows / num_columns))
            weights = weights * rows["shrink"] - ratio * rows["lr"] * orthogonalized(step)
        else:
            mean, square = moments(mean, next(squares), gradient, rows)
            weights = corrected_step(weights * rows["adamw_shrink"], mean, square, rows)
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


def _rows(updates_T1: Tensor, settings: Rows, terms: frozenset[str]) -> dict[str, Tensor]:
    return {
        **moment_rows(updates_T1, settings, rate="adamw_lr"),
        "lr": settings["lr"],
        "momentum": settings["momentum"],
        "one_minus_momentum": 1 - settings["momentum"],
        "shrink": 1 - settings["lr"] * settings["weight_decay"],
        "adamw_shrink": 1 - settings["adamw_lr"] * settings["adamw_weight_decay"],
    }


def _num_outside_matrices(shapes: Shapes) -> int:
    return sum(math.prod(shape) for shape in shapes if len(shape) != 2)


MUON = Optimizer(
    kind="muon",
    rows=_rows,
    update=muon,
    settings={
        "lr": math.nan,
        "momentum": 0.95,
        "weight_decay": 0.1,
        "adamw_lr": 0.001,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "adamw_weight_decay": 0.01,
    },
    flags=("nesterov", "match_rms_adamw", "maximize"),
    flags_on=("nesterov",),
    state=("mean", "square"),
    state_rows={"square": _num_outside_matrices},
    rates=("lr", "adamw_lr"),
    momentum="momentum",
    by_tensor=True,
    needs_matrices=True,
)
