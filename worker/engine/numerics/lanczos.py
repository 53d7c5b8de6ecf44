"""Largest eigenvalues of symmetric matrices that are given by their products, for all runs at once."""

from collections.abc import Callable

import torch
from torch import Tensor

from worker.engine.numerics.columns import norm

# An eigenvalue has converged when its residual is below this share of it, or of the largest diagonal element where it
# is near 0. The relative error is about the square of this.
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-7}
# Networks of a few thousand weights need 15 to 40 steps.
MAX_STEPS = 80
# The small eigenvalue problems cost about as much as one step; they are solved after every fourth.
STEPS_PER_CHECK = 4


def largest_eigenvalue(product: Callable[[Tensor], Tensor], like_DR: Tensor) -> Tensor:
    """The largest algebraic eigenvalue [R] of each run's matrix A, where `product` maps directions v to A v.

    Lanczos, An Iteration Method for the Solution of the Eigenvalue Problem, 1950. Each new direction is made orthogonal
    to all before it, twice because of rounding (Parlett, The Symmetric Eigenvalue Problem, 1980). Power iteration would
    find the largest magnitude, which at a saddle may belong to a negative eigenvalue.

    The result of a run is that of the check at which the run itself converged, so it does not depend on its neighbours.
    NaN where the products are not finite.
    """
    num_parameters, num_runs = like_DR.shape
    num_steps = min(num_parameters, MAX_STEPS)
    tolerance = TOLERANCE[like_DR.dtype]
    answer_R = torch.full((num_runs,), torch.nan, dtype=torch.float64, device=like_DR.device)
    open_R = torch.ones(num_runs, dtype=torch.bool, device=like_DR.device)
    matrix_RKK = answer_R.new_zeros(num_runs, num_steps, num_steps)
    direction_DR = _start(like_DR)
    basis: list[Tensor] = []
    for step in range(num_steps):
        basis.append(direction_DR)
        next_DR = product(direction_DR)
        diagonal_R = (direction_DR * next_DR).sum(0)
        for _ in range(2):
            for known_DR in basis:
                next_DR = next_DR - (known_DR * next_DR).sum(0) * known_DR
        beside_R = norm(next_DR)
        # A remainder of zero means that the directions span the Krylov space of the first one. Later diagonal elements
        # are set to a number that does not exceed the eigenvalue.
        first_R = matrix_RKK[:, 0, 0] if step else diagonal_R.double()
        alive_R = (direction_DR * direction_DR).sum(0) > 0.5
        matrix_RKK[:, step, step] = torch.where(alive_R, diagonal_R.double(), first_R)
        scale_R = matrix_RKK.diagonal(dim1=1, dim2=2).abs().amax(1)
        left_R = alive_R & (beside_R > 10 * torch.finfo(like_DR.dtype).eps * scale_R)
        last = step + 1 == num_steps
        if last or (step + 1) % STEPS_PER_CHECK == 0:
            value_R, residual_R = _top(matrix_RKK[:, : step + 1, : step + 1], beside_R.double() * left_R)
            size_R = torch.maximum(value_R.abs(), tolerance * scale_R)
            found_R = open_R & ~(residual_R > tolerance * size_R) if not last else open_R
            answer_R = torch.where(found_R, value_R, answer_R)
            open_R = open_R & ~found_R
            if like_DR.device.type != "meta" and not open_R.any():
                break
        if not last:
            beside_R = torch.where(left_R, beside_R, 0)
            matrix_RKK[:, step, step + 1] = matrix_RKK[:, step + 1, step] = beside_R.double()
            direction_DR = torch.where(left_R, next_DR / beside_R, 0)
    return answer_R.to(like_DR.dtype)


def _start(like_DR: Tensor) -> Tensor:
    """The same direction for every run, with a different component for every weight."""
    numbers_D = torch.arange(1, len(like_DR) + 1, dtype=torch.float64, device=like_DR.device)
    direction_D1 = (1.5 + torch.sin(numbers_D * numbers_D)).to(like_DR.dtype)[:, None]
    return (direction_D1 / norm(direction_D1)).expand_as(like_DR) + torch.zeros_like(like_DR)


def _top(matrix_RKK: Tensor, beside_R: Tensor) -> tuple[Tensor, Tensor]:
    """The largest eigenvalue of each small matrix, and the residual of its vector for A."""
    finite_R = matrix_RKK.isfinite().flatten(1).all(1)
    values_RK, vectors_RKK = torch.linalg.eigh(torch.where(finite_R[:, None, None], matrix_RKK, 0))
    value_R = torch.where(finite_R, values_RK[:, -1], torch.nan)
    return value_R, torch.where(finite_R, beside_R * vectors_RKK[:, -1, -1].abs(), 0)
