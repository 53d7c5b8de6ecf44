"""Rows in bulk, as numpy arrays: what a worker stores in one transaction.

Letters: N metric rows, F fields, R runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class MetricRows:
    """N metric rows, sorted by run and epoch. A value that was not measured is stored as NULL."""

    fields: tuple[str, ...]
    run_index_N: Integers
    epoch_N: Integers
    values_FN: Floats
    measured_FN: Bools


@dataclass(frozen=True)
class Outcomes:
    """State of R runs. NaN is a value; best_epoch and diverged_epoch are −1 for none."""

    index_R: Integers
    status: Sequence[str]
    epochs_done_R: Integers
    final_loss_R: Floats
    best_loss_R: Floats
    best_epoch_R: Integers
    diverged_epoch_R: Integers


class StoredTwice(Exception):
    """A row of this run and epoch is stored already."""
