"""New rows of a shard since its last chunk, the states of its runs, and the checkpoint.

Letters: F fields, R runs, E epochs, N rows.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.database.bulk import Floats, MetricRows, Outcomes
from service.database.states import RunStatus
from service.jobs.shards import Chunk
from worker.engine.stack.plan import Epoch
from worker.history_digest import row_hashes

Arrays = dict[str, NDArray[Any]]
# The recorder's arrays stand beside the trainer's in a checkpoint.
_PREFIX = "recorder."
# Values of the last row of a run, and their fields.
_LAST = {"final_loss_R": "loss", "test_loss_R": "test_loss", "test_accuracy_R": "test_accuracy"}


@dataclass(frozen=True)
class _Recorded:
    """E recorded epochs of all R runs; ``kept_RE`` is where a run has a row."""

    number_E: NDArray[np.int64]
    kept_RE: NDArray[np.bool_]
    values_FRE: Floats
    measured_FRE: NDArray[np.bool_]

    @classmethod
    def of(cls, epochs: Sequence[Epoch]) -> "_Recorded":
        """Put epochs side by side."""
        return cls(
            np.array([epoch.number for epoch in epochs]),
            np.stack([epoch.kept_R for epoch in epochs if epoch.kept_R is not None], axis=-1),
            np.stack([epoch.values_FR for epoch in epochs if epoch.values_FR is not None], axis=-1),
            np.stack([epoch.measured_FR for epoch in epochs], axis=-1),
        )


class Recorder:
    """Collects the epochs of R runs, the first of which is run number ``first_run`` of its job."""

    def __init__(
        self,
        fields: tuple[str, ...],
        first_run: int,
        num_runs: int,
        epochs: int,
        resumed: Mapping[str, Any] | None = None,
        *,
        maximize: bool = False,
    ) -> None:
        self._fields = fields
        self._first_run = first_run
        self._epochs = epochs
        # The best loss is the smallest of sign × loss.
        self._sign = -1.0 if maximize else 1.0
        # Epochs are processed many at a time: one by one each would cost a dozen calls of numpy.
        self._new: list[Epoch] = []
        self._recorded: list[_Recorded] = []
        self._arrays: Arrays = {
            "epoch": np.array(0),
            "epochs_done_R": np.zeros(num_runs, dtype=np.int64),
            "diverged_epoch_R": np.full(num_runs, -1),
            "final_loss_R": np.full(num_runs, np.nan),
            "best_loss_R": np.full(num_runs, self._sign * np.inf),
            "best_epoch_R": np.full(num_runs, -1),
            "test_loss_R": np.full(num_runs, np.nan),
            "test_accuracy_R": np.full(num_runs, np.nan),
            # ∫ loss d(epoch) up to the last row; infinite after a loss that is not finite.
            "area_R": np.zeros(num_runs),
            "last_row_R": np.full(num_runs, -1),
            "history_digest_R": np.zeros(num_runs, dtype=np.uint64),
        }
        if resumed is not None:
            # A checkpoint of an earlier version has no areas: NaN leaves area and digest of its runs unknown.
            self._arrays["area_R"] = np.full(num_runs, np.nan)
            self._arrays |= {
                name: np.array(resumed[_PREFIX + name]) for name in self._arrays if _PREFIX + name in resumed
            }

    @property
    def num_rows(self) -> int:
        """Count the rows that wait to be stored, roughly: those of diverged runs are counted too."""
        num_epochs = sum(len(recorded.number_E) for recorded in self._recorded)
        return (num_epochs + len(self._new)) * len(self._arrays["epochs_done_R"])

    def add(self, epoch: Epoch) -> None:
        """Add one epoch of all runs."""
        self._new.append(epoch)

    def _update(self) -> Arrays:
        """Update the states of the runs by the new epochs, and return them."""
        now, new = self._arrays, self._new
        if not new:
            return now
        self._new = []
        number_E = np.array([epoch.number for epoch in new])
        diverged_RE = np.stack([epoch.diverged_R for epoch in new], axis=1)
        trained_R = now["diverged_epoch_R"] < 0
        ends_R = trained_R & diverged_RE.any(axis=1)
        end_R = number_E[diverged_RE.argmax(axis=1)]
        now["epoch"] = np.array(number_E[-1])
        now["epochs_done_R"][trained_R] = np.where(ends_R, end_R, number_E[-1])[trained_R]
        now["diverged_epoch_R"][ends_R] = end_R[ends_R]
        kept = [epoch for epoch in new if epoch.values_FR is not None]
        if kept:
            recorded = _Recorded.of(kept)
            self._recorded.append(recorded)
            # The area begins at the last row so far, which is replaced afterwards.
            self._update_area(recorded)
            self._update_last(recorded)
            self._update_best(recorded)
            hash_RE = row_hashes(self._fields, recorded.number_E, recorded.values_FRE, recorded.measured_FRE)
            now["history_digest_R"] += np.where(recorded.kept_RE, hash_RE, 0).sum(axis=1, dtype=np.uint64)
        return now

    def _update_area(self, recorded: _Recorded) -> None:
        """Add the trapezoids between rows one after the other, so that the sum does not depend on the chunks."""
        now, kept_RE, loss_RE = self._arrays, recorded.kept_RE, self._column(recorded, "loss")
        # The last row before each epoch: 0 is the one before these epochs, e + 1 the one of epoch e.
        at_RE = np.maximum.accumulate(np.where(kept_RE, np.arange(1, kept_RE.shape[1] + 1), 0), axis=1)
        before_RE = np.column_stack([np.zeros(len(at_RE), dtype=np.int64), at_RE[:, :-1]])
        epoch_RE = np.column_stack([now["last_row_R"], np.broadcast_to(recorded.number_E, kept_RE.shape)])
        ends_RE = np.column_stack([now["final_loss_R"], loss_RE])
        start_RE = np.take_along_axis(epoch_RE, before_RE, axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            sum_RE = loss_RE + np.take_along_axis(ends_RE, before_RE, axis=1)
            area_RE = np.where(start_RE < 0, 0.0, (epoch_RE[:, 1:] - start_RE) * sum_RE / 2)
            area_RE[~np.isfinite(area_RE) | ~np.isfinite(loss_RE)] = np.inf
            area_RE[~kept_RE] = 0.0
            now["area_R"] = np.add.accumulate(np.column_stack([now["area_R"], area_RE]), axis=1)[:, -1]

    def _update_last(self, recorded: _Recorded) -> None:
        """Update the values of the last row."""
        now, kept_RE = self._arrays, recorded.kept_RE
        any_R = kept_RE.any(axis=1)
        # Counted from the end.
        last_R = kept_RE.shape[1] - 1 - kept_RE[:, ::-1].argmax(axis=1)
        now["last_row_R"][any_R] = recorded.number_E[last_R][any_R]
        for name, field in (
            ("final_loss_R", "loss"),
            ("test_loss_R", "test_loss"),
            ("test_accuracy_R", "test_accuracy"),
        ):
            if field in self._fields:
                value_RE = self._column(recorded, field)
                now[name][any_R] = np.take_along_axis(value_RE, last_R[:, None], axis=1)[any_R, 0]

    def _update_best(self, recorded: _Recorded) -> None:
        """Update the best finite loss and its epoch."""
        now, loss_RE = self._arrays, self._column(recorded, "loss")
        finite_RE = np.where(recorded.kept_RE & np.isfinite(loss_RE), self._sign * loss_RE, np.inf)
        # The first of equal ones, as an epoch has to be better than those before it.
        best_R = finite_RE.argmin(axis=1)
        loss_R = finite_RE[np.arange(len(best_R)), best_R]
        better_R = loss_R < self._sign * now["best_loss_R"]
        now["best_loss_R"][better_R] = self._sign * loss_R[better_R]
        now["best_epoch_R"][better_R] = recorded.number_E[best_R[better_R]]

    def _column(self, recorded: _Recorded, field: str) -> Floats:
        values_RE: Floats = recorded.values_FRE[self._fields.index(field)]
        return values_RE

    def _loss_area(self) -> Floats:
        """Give the mean loss over the epochs, as service/analysis/curves.py defines it; infinite after a divergence."""
        now = self._arrays
        area_R, last_R = now["area_R"], now["last_row_R"]
        mean_R = np.where((last_R > 0) | np.isinf(area_R), area_R / np.maximum(last_R, 1), now["final_loss_R"])
        mean_R[now["diverged_epoch_R"] >= 0] = np.inf
        mean_R[(last_R < 0) | np.isnan(area_R)] = np.nan
        return mean_R

    def arrays(self) -> Arrays:
        """Give the arrays of the recorder for a checkpoint."""
        return {_PREFIX + name: array for name, array in self._update().items()}

    def take(self, checkpoint: bytes | None, *, ended: bool = False) -> Chunk:
        """Give what is new as a chunk, and begin the next one. ``ended`` means that no epoch follows."""
        now = self._update()
        diverged_R = now["diverged_epoch_R"] >= 0
        status_R = np.where(diverged_R, RunStatus.DIVERGED, RunStatus.COMPLETED if ended else RunStatus.RUNNING)
        chunk = Chunk(
            # Where all runs have diverged the epochs that are left take no time.
            epoch=self._epochs if ended else int(now["epoch"]),
            epochs_done=int(now["epochs_done_R"].sum()),
            runs_ended=len(status_R) if ended else int(diverged_R.sum()),
            runs_diverged=int(diverged_R.sum()),
            rows=self._rows(),
            outcomes=Outcomes(
                index_R=self._first_run + np.arange(len(status_R)),
                status=status_R.tolist(),
                epochs_done_R=now["epochs_done_R"],
                final_loss_R=now["final_loss_R"],
                best_loss_R=now["best_loss_R"],
                best_epoch_R=now["best_epoch_R"],
                diverged_epoch_R=now["diverged_epoch_R"],
                test_loss_R=now["test_loss_R"],
                test_accuracy_R=now["test_accuracy_R"],
                loss_area_R=self._loss_area(),
                history_digest_R=now["history_digest_R"],
            ),
            checkpoint=checkpoint,
        )
        self._recorded = []
        return chunk

    def _rows(self) -> MetricRows | None:
        """Turn the recorded epochs, each over all runs, into rows sorted by run and epoch, the order of their table."""
        if not self._recorded:
            return None
        kept_RE = np.concatenate([recorded.kept_RE for recorded in self._recorded], axis=-1)
        values_FRE = np.concatenate([recorded.values_FRE for recorded in self._recorded], axis=-1)
        measured_FRE = np.concatenate([recorded.measured_FRE for recorded in self._recorded], axis=-1)
        run_N, epoch_N = np.nonzero(kept_RE)
        return MetricRows(
            fields=self._fields,
            run_index_N=self._first_run + run_N,
            epoch_N=np.concatenate([recorded.number_E for recorded in self._recorded])[epoch_N],
            values_FN=values_FRE[:, kept_RE],
            measured_FN=measured_FRE[:, kept_RE],
        )


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Write arrays as bytes, in numpy's own format: data only, nothing that could run when it is read."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> Arrays:
    """Read arrays back."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return dict(archive)
