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
    """State of R runs. NaN is a value of a loss; best_epoch and diverged_epoch are −1 for none.

    Attributes:
        test_loss_R: Test loss of the last row; NaN where there is none.
        test_accuracy_R: Test accuracy of the last row; NaN where there is none.
        loss_area_R: Mean loss over the epochs, by trapezoids; NaN for a run without rows, infinite if it diverged.
        history_digest_R: Hash of all rows of each run.
    """

    index_R: Integers
    status: Sequence[str]
    epochs_done_R: Integers
    final_loss_R: Floats
    best_loss_R: Floats
    best_epoch_R: Integers
    diverged_epoch_R: Integers
    test_loss_R: Floats
    test_accuracy_R: Floats
    loss_area_R: Floats
    history_digest_R: NDArray[np.uint64]


class StoredTwice(Exception):
    """A row of this run and epoch is stored already."""
