"""Order of the runs of a job: which index has the run of a setting, a seed and a start.

Letters: R runs; X any shape.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class BySetting:
    """Runs nest settings × seeds × starts."""

    num_settings: int
    num_seeds: int
    num_starts: int

    def __len__(self) -> int:
        return self.num_settings * self.num_seeds * self.num_starts

    def places(self, index_R: Integers) -> tuple[Integers, Integers, Integers]:
        """Give the setting, the position of the seed and the number of the start of runs."""
        rest_R, start_R = np.divmod(index_R, self.num_starts)
        setting_R, seed_R = np.divmod(rest_R, self.num_seeds)
        return setting_R, seed_R, start_R

    def indices(self, setting_X: Integers, seed_X: Integers, start_X: Integers) -> Integers:
        """Give the index of runs; −1 where the job has no such run."""
        return (setting_X * self.num_seeds + seed_X) * self.num_starts + start_X

    def ranges(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """List the runs of consecutive settings as ranges of indices (first, one past the last)."""
        per = self.num_seeds * self.num_starts
        yield first * per, end * per


@dataclass(frozen=True)
class BySeed:
    """Runs nest seeds × settings × starts, so that more seeds change no index.

    The first ``num_choosing`` seeds have all settings, the later ones those in ``chosen``, in ascending order.
    """

    num_settings: int
    num_seeds: int
    num_starts: int
    num_choosing: int
    chosen: tuple[int, ...]

    def __len__(self) -> int:
        return self._begin(self.num_seeds)

    def places(self, index_R: Integers) -> tuple[Integers, Integers, Integers]:
        """Give the setting, the position of the seed and the number of the start of runs."""
        rest_R, start_R = np.divmod(index_R, self.num_starts)
        later_R = rest_R - self.num_choosing * self.num_settings
        seed_R, setting_R = np.divmod(rest_R, self.num_settings)
        later_seed_R, at_R = np.divmod(np.maximum(later_R, 0), len(self.chosen))
        is_later_R = later_R >= 0
        return (
            np.where(is_later_R, np.array(self.chosen)[at_R], setting_R),
            np.where(is_later_R, self.num_choosing + later_seed_R, seed_R),
            start_R,
        )

    def indices(self, setting_X: Integers, seed_X: Integers, start_X: Integers) -> Integers:
        """Give the index of runs; −1 where the job has no such run."""
        early_X = (seed_X * self.num_settings + setting_X) * self.num_starts + start_X
        at_X = self._position_S[setting_X]
        behind_X = (seed_X - self.num_choosing) * len(self.chosen) + at_X
        later_X = self._begin(self.num_choosing) + behind_X * self.num_starts + start_X
        return np.where(seed_X < self.num_choosing, early_X, np.where(at_X < 0, -1, later_X))

    def ranges(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """List the runs of consecutive settings as ranges of indices (first, one past the last)."""
        num = self.num_starts
        for seed in range(min(self.num_choosing, self.num_seeds)):
            begin = self._begin(seed)
            yield begin + first * num, begin + end * num
        inside = [at for at, setting in enumerate(self.chosen) if first <= setting < end]
        if inside:
            for seed in range(self.num_choosing, self.num_seeds):
                begin = self._begin(seed)
                yield begin + inside[0] * num, begin + (inside[-1] + 1) * num

    @cached_property
    def _position_S(self) -> Integers:
        """Position of each setting among the chosen ones; −1 for the others."""
        position_S = np.full(self.num_settings, -1)
        position_S[list(self.chosen)] = np.arange(len(self.chosen))
        return position_S

    def _begin(self, num_seeds: int) -> int:
        """Count the runs of the first seeds."""
        early = min(num_seeds, self.num_choosing)
        return (early * self.num_settings + (num_seeds - early) * len(self.chosen)) * self.num_starts
