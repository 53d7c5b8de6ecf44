"""Base of problems that train a network on examples."""

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from worker.engine.supervised.least_squares import LeastSquares, LeastSquaresObjective, least_squares
from worker.engine.supervised.objective import SupervisedObjective
from worker.engine.supervised.setup import SupervisedSetup


class SupervisedProblem:
    """One network for each seed; a member defines the setup."""

    seeds: NDArray[np.int64]

    shift = None
    has_position = False
    columns_multiple = 1

    @property
    def _setup(self) -> SupervisedSetup:
        raise NotImplementedError

    @property
    def score(self) -> str:
        return self._setup.head.score

    @property
    def has_test(self) -> bool:
        return self._setup.test is not None

    @property
    def has_validation(self) -> bool:
        return self._setup.validation is not None

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
        known = self._setup.minimum
        return np.empty((0, self.num_parameters)) if known is None else known.weights_D[None]

    def num_batches(self, accumulate: int) -> int:
        return self._setup.num_batches

    def variance_share(self, accumulate: int) -> float:
        return self._setup.variance_share(accumulate)

    def objective(self, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> SupervisedObjective:
        given = self._setup, self.seeds[source_R], dtype, device
        if dtype == torch.float64 and self._least_squares is not None:
            return LeastSquaresObjective(*given, self._least_squares)
        return SupervisedObjective(*given)

    @cached_property
    def _least_squares(self) -> LeastSquares | None:
        return least_squares(self._setup)
