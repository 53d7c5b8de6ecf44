"""Quadratic ½ Σ λᵢ wᵢ² of any dimension, minimised by all runs at once."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.landscape import GradientNoise, Landscape, start_columns
from worker.engine.protocols import BatchSize, Evaluation, Shift


@dataclass(frozen=True, eq=False)
class Quadratic(Landscape):
    """A quadratic with these eigenvalues, with a start and a seed per run. One epoch is one update.

    In two dimensions its axes may be turned by `angle` degrees: f = ½ wᵀ Q diag(λ) Qᵀ w, where Q turns
    counter-clockwise.
    """

    eigenvalues: NDArray[np.float64]
    starts: NDArray[np.float64]
    seeds: NDArray[np.int64]
    angle: float = 0.0
    noise: float = 0.0
    batch_size: BatchSize = 1
    shift: Shift | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "eigenvalues", np.asarray(self.eigenvalues, dtype=np.float64))
        super().__post_init__()
        if self.angle and self.num_parameters != 2:
            raise ValueError(f"angle needs two eigenvalues, not {self.num_parameters}.")

    @property
    def num_parameters(self) -> int:
        return len(self.eigenvalues)

    @property
    def has_position(self) -> bool:
        return self.num_parameters <= 2

    @property
    def minima_MD(self) -> NDArray[np.float64]:
        """The origin, if it is the only minimum: an eigenvalue of 0 gives a valley of minima, a negative one none."""
        return np.zeros((int((self.eigenvalues > 0).all()), self.num_parameters))

    def objective(self, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> "QuadraticObjective":
        return QuadraticObjective(self, source_R, dtype, device)


class QuadraticObjective:
    """A quadratic for the columns of one stack."""

    def __init__(
        self, problem: Quadratic, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device
    ) -> None:
        self.start_DR = start_columns(problem.starts, source_R, dtype, device)
        self._eigenvalues_D1 = torch.from_numpy(problem.eigenvalues[:, None]).to(device=device, dtype=dtype)
        self._matrix = _matrix(problem.eigenvalues, problem.angle) if problem.angle else None
        self._noise_trace = problem.num_parameters * problem.noise**2
        self._noise = GradientNoise(
            problem.noise, problem.batch_size, problem.seeds[source_R], problem.num_parameters, dtype, device
        )

    def evaluate(self, weights_DR: Tensor) -> Evaluation:
        if self._matrix is None:
            gradient_DR = self._eigenvalues_D1 * weights_DR
        else:
            (xx, xy), (yx, yy) = self._matrix
            x, y = weights_DR
            gradient_DR = torch.stack([xx * x + xy * y, yx * x + yy * y])
        return Evaluation((gradient_DR * weights_DR).sum(0) / 2, gradient_DR)

    def loss(self, weights_DR: Tensor) -> Tensor:
        return self.evaluate(weights_DR).loss_R

    def batch(self, weights_DR: Tensor, step: int, known: Evaluation | None) -> tuple[Tensor, Tensor]:
        known = known or self.evaluate(weights_DR)
        return known.loss_R[None], self._noise.added_to(known.gradient_DR, step)

    def sharpness(self, weights_DR: Tensor) -> Tensor:
        return self._eigenvalues_D1.max().expand(weights_DR.shape[1])

    def noise_trace(self, weights_DR: Tensor, gradient_DR: Tensor) -> Tensor:
        return torch.full_like(gradient_DR[0], self._noise_trace)


def _matrix(eigenvalues: NDArray[np.float64], angle: float) -> list[list[float]]:
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turn = np.array([[cos, -sin], [sin, cos]])
    matrix: list[list[float]] = (turn @ np.diag(eigenvalues) @ turn.T).tolist()
    return matrix
