"""What surfaces and quadratics have in common: starting points, Gaussian gradient noise, one update per epoch."""

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from worker.engine.numerics.columns import COLUMNS_MULTIPLE
from worker.engine.numerics.normals import Normals
from worker.engine.numerics.random import NOISE
from worker.engine.protocols import BatchSize, Shapes


class Landscape:
    """Base of problems without data: a point per run, with a seed for its gradient noise."""

    seeds: NDArray[np.int64]
    starts: NDArray[np.float64]
    batch_size: BatchSize

    score = None
    has_test = has_validation = False
    columns_multiple = COLUMNS_MULTIPLE
    whole = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", np.asarray(self.seeds, dtype=np.int64))
        object.__setattr__(self, "starts", _checked_starts(self.starts, len(self.seeds), self.num_parameters))

    @property
    def num_runs(self) -> int:
        return len(self.seeds)

    @property
    def num_parameters(self) -> int:
        raise NotImplementedError

    @property
    def shapes(self) -> Shapes:
        return ((self.num_parameters,),)

    def num_batches(self, accumulate: int) -> int:
        return accumulate

    def variance_share(self, accumulate: int) -> float:
        return 0.0 if self.batch_size == "full" else 1 / (self.batch_size * accumulate)


def start_columns(
    starts: NDArray[np.float64], source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device
) -> Tensor:
    """The starts [D, R] of a stack whose column c stands for run `source_R[c]`."""
    return torch.from_numpy(np.ascontiguousarray(starts[source_R].T)).to(device=device, dtype=dtype)


class GradientNoise:
    """Gaussian noise of one standard deviation on each gradient component, equal for runs of the same seed.

    The mean of a batch of B draws has a deviation of std/√B; the full batch has none.
    """

    def __init__(
        self,
        std: float,
        batch_size: BatchSize,
        seeds_R: NDArray[np.int64],
        num_parameters: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._std = 0.0 if batch_size == "full" else std / math.sqrt(batch_size)
        self._normals = Normals(self._std, seeds_R, NOISE, num_parameters, dtype, device)

    def added_to(self, gradient_DR: Tensor, step: int) -> Tensor:
        """The noisy gradient of micro-batch number `step`, counted from 0."""
        if self._std == 0:
            return gradient_DR
        return gradient_DR + self._normals.at(step)


def _checked_starts(starts: ArrayLike, num_runs: int, num_parameters: int) -> NDArray[np.float64]:
    points = np.asarray(starts, dtype=np.float64)
    if points.shape != (num_runs, num_parameters):
        raise ValueError(f"starts have shape {points.shape}; expected {(num_runs, num_parameters)}.")
    return points
