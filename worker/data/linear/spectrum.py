"""Eigenvalues of the Hessian of a linear model: all of them up to 2,000 coordinates, else the extreme ones."""

import numpy as np
import torch
from torch import Tensor

from service.analysis.linear_theory import Spectrum
from worker.data.linear.design import Design, Floats
from worker.data.linear.objective import Objective
from worker.engine.numerics.lanczos import largest_eigenvalue


def spectrum(of: Design, objective: Objective, at_MQ: Floats, num_outputs: int, hessian: Floats | None) -> Spectrum:
    """Give the eigenvalues at a point.

    Args:
        of: The inputs.
        objective: The loss in its coordinates.
        at_MQ: The point.
        num_outputs: Outputs of the model, which has more weights than the objective has coordinates.
        hessian: The Hessian of the objective there; None to use its products only.
    """
    num_weights = (of.num_inputs + 1) * num_outputs
    num_inside = at_MQ.size
    # Outside, the loss has the penalty only, which spares the biases: those of several outputs can be raised alike.
    num_flat = int(num_outputs > 1) if of.l2 else num_weights - num_inside
    num_shared = num_weights - num_inside - num_flat
    shared = [of.l2] if num_shared else []
    if hessian is not None:
        values = sorted({*_all(of, hessian, objective.num_contrasts), *shared})
        return Spectrum(tuple(values), num_weights - num_flat, num_flat)
    largest, smallest = _extremes(of, objective, at_MQ)
    if not of.l2:
        return Spectrum((largest,), num_weights - num_flat, num_flat, is_whole=False, has_smallest=False)
    return Spectrum((min([smallest, *shared]), largest), num_weights - num_flat, num_flat, is_whole=False)


def _all(of: Design, hessian: Floats, num_contrasts: int) -> list[float]:
    """All eigenvalues: squares of the singular values of a factor, which keep the digits of the smallest ones."""
    factor = np.tile(of.scale_M, num_contrasts)[:, None] * np.linalg.cholesky(hessian)
    values: list[float] = (np.linalg.svd(factor, compute_uv=False) ** 2).tolist()
    return values


def _extremes(of: Design, objective: Objective, at_MQ: Floats) -> tuple[float, float]:
    """The largest and the smallest eigenvalue, by Lanczos' method."""
    scale_M1 = of.scale_M[:, None]

    def product(direction_D1: Tensor) -> Tensor:
        direction_MQ = direction_D1.numpy().reshape(at_MQ.shape)
        return torch.from_numpy(scale_M1 * objective.product(at_MQ, scale_M1 * direction_MQ)).reshape(-1, 1)

    like_D1 = torch.zeros(at_MQ.size, 1, dtype=torch.float64)
    largest = float(largest_eigenvalue(product, like_D1))
    beyond = float(largest_eigenvalue(lambda direction: largest * direction - product(direction), like_D1))
    return largest, max(largest - beyond, 0.0)
