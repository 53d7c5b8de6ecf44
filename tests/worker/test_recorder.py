"""The recorder, which processes many epochs at once, gives the same results as epoch by epoch."""

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.engine.trainer import Epoch
from worker.recorder import Recorder

FIELDS = ("loss", "grad_norm")


def epochs(rng: np.random.Generator, num_runs: int, num_epochs: int, record_every: int) -> list[Epoch]:
    """Draw possible epochs of a trainer: losses of all kinds, runs that diverge, epochs that are not recorded."""
    alive_R = np.ones(num_runs, dtype=bool)
    yielded = []
    for number in range(num_epochs + 1):
        loss_R = rng.choice([1.0, 2.0, 0.5, -0.0, 0.0, np.nan, np.inf, 1e30, rng.random()], num_runs)
        diverged_R = alive_R & (rng.random(num_runs) < 0.07)
        is_due = number % record_every == 0 or number == num_epochs
        kept_R = alive_R if is_due else diverged_R if diverged_R.any() else None
        values_FR = None
        if kept_R is not None:
            values_FR = np.stack([loss_R, rng.random(num_runs)])
            values_FR[:, ~kept_R] = np.nan
        yielded.append(Epoch(number, diverged_R, kept_R, values_FR, np.ones((2, num_runs), dtype=bool)))
        alive_R = alive_R & ~diverged_R
    return yielded


def outcome(yielded: list[Epoch], run: int) -> tuple[int, float, float, int, int]:
    """Compute the outcome of one run epoch by epoch: epochs done, final and best loss, best epoch, diverged epoch."""
    done, final, best, best_epoch, diverged = 0, np.nan, np.inf, -1, -1
    for epoch in yielded:
        if diverged >= 0:
            break
        done = epoch.number
        if epoch.diverged_R[run]:
            diverged = epoch.number
        if epoch.kept_R is not None and epoch.values_FR is not None and epoch.kept_R[run]:
            final = float(epoch.values_FR[0, run])
            if np.isfinite(final) and final < best:
                best, best_epoch = final, epoch.number
    return done, final, best, best_epoch, diverged


@pytest.mark.parametrize("seed", range(60))
def test_outcomes_and_rows_are_those_of_each_run_however_often_they_are_taken(seed: int) -> None:
    rng = np.random.default_rng(seed)
    num_runs, num_epochs, record_every = (int(rng.integers(*span)) for span in ((1, 6), (1, 30), (1, 5)))
    yielded = epochs(rng, num_runs, num_epochs, record_every)
    recorder = Recorder(FIELDS, 3, num_runs, num_epochs)
    rows: list[tuple[int, int, NDArray[np.float64]]] = []
    for epoch in yielded:
        recorder.add(epoch)
        is_last = epoch.number == num_epochs
        if rng.random() < 0.2 or is_last:
            # A checkpoint needs these arrays before the rows are taken.
            recorder.arrays()
            progress = recorder.take(None, ended=is_last)
            if progress.rows is not None:
                places = zip(progress.rows.run_index_N, progress.rows.epoch_N, strict=True)
                rows += [
                    (int(run), int(number), progress.rows.values_FN[:, at]) for at, (run, number) in enumerate(places)
                ]
    found = progress.outcomes
    for run in range(num_runs):
        done, final, best, best_epoch, diverged = outcome(yielded, run)
        assert found.epochs_done_R[run] == done
        assert found.best_epoch_R[run] == best_epoch
        assert found.diverged_epoch_R[run] == diverged
        np.testing.assert_array_equal([found.final_loss_R[run], found.best_loss_R[run]], [final, best])
    expected = [
        (3 + run, epoch.number, epoch.values_FR[:, run])
        for epoch in yielded
        if epoch.kept_R is not None and epoch.values_FR is not None
        for run in np.flatnonzero(epoch.kept_R)
    ]
    rows.sort(key=lambda row: row[:2])
    expected.sort(key=lambda row: row[:2])
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    np.testing.assert_array_equal([row[2] for row in rows], [row[2] for row in expected])
