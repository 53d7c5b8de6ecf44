"""What a shard has to say since it was last stored: rows, what became of its runs, and where to resume."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.recording import Outcomes, Rows
from service.shards import Progress
from service.states import RunStatus
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
        self._kept: list[tuple[int, NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]]] = []
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
        now = self._arrays
        now["epoch"] = np.array(epoch.number)
        trained_R = now["diverged_epoch_R"] < 0
        now["epochs_done_R"][trained_R] = epoch.number
        now["diverged_epoch_R"][trained_R & epoch.diverged_R] = epoch.number
        if epoch.kept_R is None or epoch.values_FR is None:
            return
        self._kept.append((epoch.number, epoch.kept_R, epoch.values_FR, epoch.measured_FR))
        loss_R = epoch.values_FR[self._fields.index("loss")]
        now["final_loss_R"][epoch.kept_R] = loss_R[epoch.kept_R]
        better_R = epoch.kept_R & np.isfinite(loss_R) & (loss_R < now["best_loss_R"])
        now["best_loss_R"][better_R] = loss_R[better_R]
        now["best_epoch_R"][better_R] = epoch.number

    def arrays(self) -> Arrays:
        """Give what has to be in a checkpoint."""
        return {_PREFIX + name: array for name, array in self._arrays.items()}

    def take(self, checkpoint: bytes | None, *, ended: bool = False) -> Progress:
        """Give all that is new, and begin anew. ``ended`` tells that no epoch is to follow."""
        now = self._arrays
        diverged_R = now["diverged_epoch_R"] >= 0
        status_R = np.where(diverged_R, RunStatus.DIVERGED, RunStatus.COMPLETED if ended else RunStatus.RUNNING)
        progress = Progress(
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

    def _rows(self) -> Rows | None:
        """Turn the kept epochs, each over all runs, into rows sorted by run and epoch, the order of their table."""
        if not self._kept:
            return None
        kept_RE = np.stack([kept_R for _, kept_R, _, _ in self._kept], axis=1)
        values_FRE = np.stack([values_FR for _, _, values_FR, _ in self._kept], axis=2)
        measured_FRE = np.stack([measured_FR for _, _, _, measured_FR in self._kept], axis=2)
        run_N, epoch_N = np.nonzero(kept_RE)
        return Rows(
            fields=self._fields,
            run_index_N=self._first_run + run_N,
            epoch_N=np.array([number for number, _, _, _ in self._kept])[epoch_N],
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
