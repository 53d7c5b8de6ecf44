"""Places of runs in tables: the index in the job of each cell, and the cells that count.

Letters: S rows, P seeds × starts of a row, J seeds, T starts; X any shape.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.spec.layout import BySeed
from service.spec.runs import Runs

Integers = NDArray[np.int64]


def by_index(values_R: NDArray[Any], index_X: Integers, missing: Any) -> NDArray[Any]:
    """Give values by index, and another one where the index is −1."""
    found_X = values_R[index_X]
    return found_X if (index_X >= 0).all() else np.where(index_X < 0, missing, found_X).astype(values_R.dtype)


def chosen_rows(runs: Runs, entries: Sequence[int]) -> list[int]:
    """List the rows of the settings that a job which decides has chosen."""
    if not runs.num_choosing or not isinstance(runs.layout, BySeed) or not runs.layout.num_choosing:
        return []
    settings = [setting for entry in entries for setting in range(*runs.firsts[entry : entry + 2])]
    return [row for row, setting in enumerate(settings) if setting in runs.layout.chosen]


def indices(runs: Runs, settings: Sequence[int]) -> Integers:
    """Give the indices of all runs of settings, [settings, seeds × starts]."""
    of = [np.asarray(settings), np.arange(runs.num_seeds), np.arange(runs.num_starts)]
    return runs.layout.indices(*np.meshgrid(*of, indexing="ij")).reshape(len(settings), -1)
