"""What is new in a shard since its last chunk: rows, outcomes of its runs, and the checkpoint."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.database.bulk import MetricRows, Outcomes
from service.database.states import RunStatus
from service.jobs.shards import Chunk
from worker.engine.trainer import Epoch

Arrays = dict[str, NDArray[Any]]
# The recorder's arrays stand beside the trainer's in a checkpoint.
_PREFIX = "recorder."


class Recorder:
    """Collects the epochs of R runs, the first of which is run number ``first_run`` of its job."""

    def __init__(
        self,
        fields: tuple[str, ...],
        first_run: int,
        num_runs: int,
        epochs: int,
        resumed: Mapping[str, Any] | None = None,
    ) -> None:
        self._fields = fields
        self._first_run = first_run
        self._epochs = epochs
        self._loss = fields.index("loss")
        # Epochs that wait to be looked at, many at once: one by one each would cost a dozen calls of numpy.
        self._new: list[Epoch] = []
        self._kept: list[Epoch] = []
        self._arrays: Arrays = {
            "epoch": np.array(0),
            "epochs_done_R": np.zeros(num_runs, dtype=np.int64),
            "diverged_epoch_R": np.full(num_runs, -1),
            "final_loss_R": np.full(num_runs, np.nan),
            "best_loss_R": np.full(num_runs, np.inf),
            "best_epoch_R": np.full(num_runs, -1),
        }
        if resumed is not None:
            self._arrays = {name: np.array(resumed[_PREFIX + name]) for name in self._arrays}

    @property
    def num_rows(self) -> int:
        """Count the rows that wait to be stored, roughly: those of diverged runs are counted too."""
        return len(self._kept) * len(self._arrays["epochs_done_R"])

    def add(self, epoch: Epoch) -> None:
        """Take in one epoch of all runs."""
        self._new.append(epoch)
        if epoch.values_FR is not None:
            self._kept.append(epoch)

    def _look(self) -> Arrays:
        """Find what the new epochs have made of the runs, and give it."""
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
            self._look_at_losses(kept)
        return now

    def _look_at_losses(self, kept: list[Epoch]) -> None:
        now = self._arrays
        number_E = np.array([epoch.number for epoch in kept])
        kept_RE = _stacked([epoch.kept_R for epoch in kept])
        loss_RE = _stacked([epoch.values_FR[self._loss] for epoch in kept if epoch.values_FR is not None])
        run_R = np.arange(len(kept_RE))
        # The last one that was kept, counted from the end.
        last_R = len(kept) - 1 - kept_RE[:, ::-1].argmax(axis=1)
        any_R = kept_RE.any(axis=1)
        now["final_loss_R"][any_R] = loss_RE[run_R, last_R][any_R]
        finite_RE = np.where(kept_RE & np.isfinite(loss_RE), loss_RE, np.inf)
        # The first of equal ones, as an epoch has to be better than those before it.
        best_R = finite_RE.argmin(axis=1)
        loss_R = finite_RE[run_R, best_R]
        better_R = loss_R < now["best_loss_R"]
        now["best_loss_R"][better_R] = loss_R[better_R]
        now["best_epoch_R"][better_R] = number_E[best_R[better_R]]

    def arrays(self) -> Arrays:
        """Give what has to be in a checkpoint."""
        return {_PREFIX + name: array for name, array in self._look().items()}

    def take(self, checkpoint: bytes | None, *, ended: bool = False) -> Chunk:
        """Give all that is new, and begin anew. ``ended`` tells that no epoch is to follow."""
        now = self._look()
        diverged_R = now["diverged_epoch_R"] >= 0
        status_R = np.where(diverged_R, RunStatus.DIVERGED, RunStatus.COMPLETED if ended else RunStatus.RUNNING)
        progress = Chunk(
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
            ),
            checkpoint=checkpoint,
        )
        self._kept = []
        return progress

    def _rows(self) -> MetricRows | None:
        """Turn the kept epochs, each over all runs, into rows sorted by run and epoch, the order of their table."""
        if not self._kept:
            return None
        kept_RE = _stacked([epoch.kept_R for epoch in self._kept])
        values_FRE = _stacked([epoch.values_FR for epoch in self._kept])
        measured_FRE = _stacked([epoch.measured_FR for epoch in self._kept])
        run_N, epoch_N = np.nonzero(kept_RE)
        return MetricRows(
            fields=self._fields,
            run_index_N=self._first_run + run_N,
            epoch_N=np.array([epoch.number for epoch in self._kept])[epoch_N],
            values_FN=values_FRE[:, kept_RE],
            measured_FN=measured_FRE[:, kept_RE],
        )


def _stacked(arrays: list[NDArray[Any] | None]) -> NDArray[Any]:
    """Put the arrays of all epochs side by side: [..., R] becomes [..., R, E]."""
    return np.stack([array for array in arrays if array is not None], axis=-1)


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Write arrays as bytes, in numpy's own format: data only, nothing that could run when it is read."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> Arrays:
    """Read arrays back."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return dict(archive)
