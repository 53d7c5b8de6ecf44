"""Normal numbers for the columns of a stack, the same for all columns of one seed."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.numerics.random import normals

# One draw covers as many steps as fit in about half a megabyte.
NUMBERS_PER_DRAW = 2**16


class Normals:
    """Normal numbers of a standard deviation: a function of seed, stream, step and component."""

    def __init__(
        self,
        std: float,
        seeds_R: NDArray[np.int64],
        stream: int,
        num: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._std = std
        self._seeds_S, self._seed_of_column = np.unique(seeds_R, return_inverse=True)
        self._stream, self._num = stream, num
        self._dtype, self._device = dtype, device
        self._steps_per_draw = max(1, NUMBERS_PER_DRAW // (num * len(self._seeds_S)))
        self._drawn: tuple[int, NDArray[np.float64]] = (-1, np.empty(0))

    def at(self, step: int) -> Tensor:
        """The numbers [num, R] of a step, counted from 0."""
        draw, offset = divmod(step, self._steps_per_draw)
        if self._drawn[0] != draw:
            first = draw * self._steps_per_draw
            steps = np.arange(first, first + self._steps_per_draw, dtype=np.int64)
            self._drawn = draw, self._std * normals(self._seeds_S, self._stream, steps, self._num)
        drawn_DR = torch.from_numpy(self._drawn[1][offset][:, self._seed_of_column])
        return drawn_DR.to(device=self._device, dtype=self._dtype)
