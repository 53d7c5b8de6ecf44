"""Rows in bulk, as numpy arrays: what a worker stores in one transaction.

Letters: N metric rows, F fields, R runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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

    def numbers(self) -> dict[str, tuple[Floats, Bools]]:
        """Give the columns of numbers by name, and where a run has one; elsewhere NULL is stored."""
        has_diverged_R, has_best_R = self.diverged_epoch_R >= 0, self.best_epoch_R >= 0
        return {
            # A run with a NaN as its loss has diverged, or has no row yet.
            "final_loss": (self.final_loss_R, ~np.isnan(self.final_loss_R) | has_diverged_R),
            "best_loss": (self.best_loss_R, has_best_R),
            "test_loss": (self.test_loss_R, ~np.isnan(self.test_loss_R)),
            "test_accuracy": (self.test_accuracy_R, ~np.isnan(self.test_accuracy_R)),
            "loss_area": (self.loss_area_R, self.has_rows_R),
        }

    @property
    def has_rows_R(self) -> Bools:
        """Whether a run has metric rows; others have no digest."""
        return ~np.isnan(self.loss_area_R)

    def columns(self, nan: Any) -> dict[str, list[Any]]:
        """Give all columns but the index as a driver stores them, with ``nan`` for a NaN."""
        columns: dict[str, list[Any]] = {"status": list(self.status), "epochs_done": self.epochs_done_R.tolist()}
        for name, (values_R, known_R) in self.numbers().items():
            stored_R = values_R.astype(object)
            stored_R[np.isnan(values_R)] = nan
            columns[name] = _known(stored_R, known_R)
        for name, epoch_R in (("best_epoch", self.best_epoch_R), ("diverged_epoch", self.diverged_epoch_R)):
            columns[name] = _known(epoch_R.astype(object), epoch_R >= 0)
        digest_R = self.history_digest_R.view(np.int64).astype(object)
        return columns | {"history_digest": _known(digest_R, self.has_rows_R)}


def _known(values_R: NDArray[np.object_], known_R: Bools) -> list[Any]:
    values_R[~known_R] = None
    return values_R.tolist()  # type: ignore[no-any-return]


class StoredTwice(Exception):
    """A row of this run and epoch is stored already."""
