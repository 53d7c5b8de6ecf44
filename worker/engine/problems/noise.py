"""Which noise disturbs the gradient of a run at a given step, on a problem that has no data to sample?"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.protocols import BatchSize
from worker.engine.random import NOISE, normals

# A draw makes numbers for many steps at once, as many as fit in about half a megabyte.
NUMBERS_PER_DRAW = 2**16


class GradientNoise:
    """Gaussian noise of one standard deviation for each component of a gradient, the same for runs of the same seed.

    A batch of B draws averages to a deviation of std/√B; the full batch has none.
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
        self._seeds_S, self._seed_of_column = np.unique(seeds_R, return_inverse=True)
        self._num = num_parameters
        self._dtype, self._device = dtype, device
        self._steps_per_draw = max(1, NUMBERS_PER_DRAW // (self._num * len(self._seeds_S)))
        self._drawn: tuple[int, NDArray[np.float64]] = (-1, np.empty(0))

    def added_to(self, gradient_DR: Tensor, step: int) -> Tensor:
        """The gradient as the optimizer sees it at this step (from 0)."""
        if self._std == 0:
            return gradient_DR
        draw, offset = divmod(step, self._steps_per_draw)
        if self._drawn[0] != draw:
            first = draw * self._steps_per_draw
            steps = np.arange(first, first + self._steps_per_draw, dtype=np.int64)
            self._drawn = draw, self._std * normals(self._seeds_S, NOISE, steps, self._num)
        noise_DR = torch.from_numpy(self._drawn[1][offset][:, self._seed_of_column])
        return gradient_DR + noise_DR.to(device=self._device, dtype=self._dtype)
