"""What do all problems have in common that teach a network from examples?"""

import numpy as np
import torch
from numpy.typing import NDArray

from worker.engine.classification.objective import Classification, Lesson


class Taught:
    """A lesson, to one network for each seed; a member of the family says which one."""

    seeds: NDArray[np.int64]

    shift = None
    has_accuracy = True
    has_test = True
    has_position = False
    columns_multiple = 1

    @property
    def _lesson(self) -> Lesson:
        raise NotImplementedError

    @property
    def num_runs(self) -> int:
        return len(self.seeds)

    @property
    def num_parameters(self) -> int:
        return self._lesson.num_parameters

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        return self._lesson.network.shapes

    @property
    def whole(self) -> bool:
        return self._lesson.whole

    @property
    def minima_MD(self) -> NDArray[np.float64]:
        return np.empty((0, self.num_parameters))

    def num_batches(self, accumulate: int) -> int:
        return self._lesson.num_batches

    def variance_share(self, accumulate: int) -> float:
        return self._lesson.variance_share(accumulate)

    def objective(self, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> Classification:
        return Classification(self._lesson, self.seeds[source_R], dtype, device)
