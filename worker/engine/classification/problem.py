"""Base of problems that train a network to classify examples."""

import numpy as np
import torch
from numpy.typing import NDArray

from worker.engine.classification.objective import ClassificationObjective
from worker.engine.classification.setup import ClassificationSetup


class ClassificationProblem:
    """One network for each seed; a member defines the setup."""

    seeds: NDArray[np.int64]

    shift = None
    has_accuracy = True
    has_test = True
    has_position = False
    columns_multiple = 1

    @property
    def _setup(self) -> ClassificationSetup:
        raise NotImplementedError

    @property
    def num_runs(self) -> int:
        return len(self.seeds)

    @property
    def num_parameters(self) -> int:
        return self._setup.num_parameters

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        return self._setup.network.shapes

    @property
    def whole(self) -> bool:
        return self._setup.whole

    @property
    def minima_MD(self) -> NDArray[np.float64]:
        return np.empty((0, self.num_parameters))

    def num_batches(self, accumulate: int) -> int:
        return self._setup.num_batches

    def variance_share(self, accumulate: int) -> float:
        return self._setup.variance_share(accumulate)

    def objective(
        self, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device
    ) -> ClassificationObjective:
        return ClassificationObjective(self._setup, self.seeds[source_R], dtype, device)
