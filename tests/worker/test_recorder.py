"""The recorder processes many epochs at once with the results of one epoch after another."""

import numpy as np
import pytest
from numpy.typing import NDArray

from service.analysis.curves import Curves, area_under_curve
from worker.engine.trainer import Epoch
from worker.recorder import Recorder

FIELDS = ("loss", "test_loss")


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


def outcome(yielded: list[Epoch], run: int, *, maximize: bool) -> tuple[int, float, float, int, int]:
    """Compute the outcome of one run epoch by epoch: epochs done, final and best loss, best epoch, diverged epoch."""
    done, final, best, best_epoch, diverged = 0, np.nan, -np.inf if maximize else np.inf, -1, -1
    for epoch in yielded:
        if diverged >= 0:
            break
        done = epoch.number
        if epoch.diverged_R[run]:
            diverged = epoch.number
        if epoch.kept_R is not None and epoch.values_FR is not None and epoch.kept_R[run]:
            final = float(epoch.values_FR[0, run])
            if np.isfinite(final) and (final > best if maximize else final < best):
                best, best_epoch = final, epoch.number
    return done, final, best, best_epoch, diverged


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_outcomes_and_rows_are_those_of_each_run_however_often_they_are_taken(seed: int, maximize: bool) -> None:
    rng = np.random.default_rng(seed)
    num_runs, num_epochs, record_every = (int(rng.integers(*span)) for span in ((1, 6), (1, 30), (1, 5)))
    yielded = epochs(rng, num_runs, num_epochs, record_every)
    recorder = Recorder(FIELDS, 3, num_runs, num_epochs, maximize=maximize)
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
    # The same rows in one chunk.
    whole = Recorder(FIELDS, 3, num_runs, num_epochs, maximize=maximize)
    for epoch in yielded:
        whole.add(epoch)
    at_once = whole.take(None, ended=True).outcomes
    np.testing.assert_array_equal(found.loss_area_R, at_once.loss_area_R)
    np.testing.assert_array_equal(found.history_digest_R, at_once.history_digest_R)
    for run in range(num_runs):
        done, final, best, best_epoch, diverged = outcome(yielded, run, maximize=maximize)
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
    for run in range(num_runs):
        _, numbers, values = zip(*(row for row in expected if row[0] == 3 + run), strict=True)
        loss, test_loss = np.array(values).T
        assert np.array_equal(found.test_loss_R[run], test_loss[-1], equal_nan=True)
        (area,) = area_under_curve(Curves(np.array([0]), np.array(numbers), loss))
        if found.diverged_epoch_R[run] >= 0:
            area = np.inf
        assert found.loss_area_R[run] == pytest.approx(area, rel=1e-12)
    rows.sort(key=lambda row: row[:2])
    expected.sort(key=lambda row: row[:2])
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    np.testing.assert_array_equal([row[2] for row in rows], [row[2] for row in expected])


def digest(yielded: list[Epoch], fields: tuple[str, ...] = FIELDS) -> int:
    recorder = Recorder(fields, 0, 1, yielded[-1].number)
    for epoch in yielded:
        recorder.add(epoch)
    return int(recorder.take(None, ended=True).outcomes.history_digest_R[0])


def rows_of(values: NDArray[np.float64], *, is_measured: bool = True) -> list[Epoch]:
    """Epochs of one run, from values [epochs, fields]."""
    yes, no = np.array([True]), np.array([False])
    return [
        Epoch(number, no, yes, row[:, None].copy(), np.array([[True], [is_measured]]))
        for number, row in enumerate(values)
    ]


def test_a_digest_is_that_of_the_bits_of_all_values() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((20, 2)).astype(np.float32).astype(np.float64)
    assert digest(rows_of(values)) == digest(rows_of(values.copy()))
    known = {digest(rows_of(values))}
    changes = [values.copy() for _ in range(6)]
    changes[0][7, 0] = np.nextafter(values[7, 0], 1)
    changes[1][7, 1] = -values[7, 1]
    changes[2][[3, 4]] = values[[4, 3]]
    changes[3][:, [0, 1]] = values[:, [1, 0]]
    changes[4][19, 0] = np.nan
    changes[5] = values[:-1]
    known |= {digest(rows_of(change)) for change in changes}
    known.add(digest(rows_of(values, is_measured=False)))
    known.add(digest(rows_of(values), ("loss", "grad_norm")))
    assert len(known) == 9
    zeros = np.zeros((2, 2))
    assert digest(rows_of(zeros)) != digest(rows_of(-zeros))


def test_a_digest_has_one_value_for_all_nans_and_for_what_was_not_measured() -> None:
    values = np.array([[0.5, 1.0], [0.25, np.nan]])
    other = values.copy()
    other.view(np.uint64)[1, 1] ^= 1 << 51 | 5
    assert np.isnan(other[1, 1])
    assert digest(rows_of(values)) == digest(rows_of(other))
    other[:, 1] = 7.0
    assert digest(rows_of(values, is_measured=False)) == digest(rows_of(other, is_measured=False))


@pytest.mark.slow
def test_histories_that_differ_have_different_digests() -> None:
    rng = np.random.default_rng(1)
    # float32 numbers leave most low bits of a double empty.
    values_FRE = rng.random((2, 20_000, 2)).astype(np.float32).astype(np.float64)
    recorder = Recorder(FIELDS, 0, 20_000, 1)
    yes_R, no_R = np.ones(20_000, dtype=bool), np.zeros(20_000, dtype=bool)
    for number in range(2):
        measured_FR = np.ones((2, 20_000), dtype=bool)
        recorder.add(Epoch(number, no_R, yes_R, values_FRE[:, :, number], measured_FR))
    assert len(set(recorder.take(None, ended=True).outcomes.history_digest_R.tolist())) == 20_000
