"""The contract of both dialects, part three: outcomes of runs are read as they were written."""

from dataclasses import fields, replace

import numpy as np
import pytest
from sqlalchemy import select, update

from service.database.bulk import Outcomes
from service.database.connection import Database
from service.database.reading import read_last
from service.database.tables import Job, Run
from service.database.writing import stage, write_outcomes
from tests.database.rows import three_runs
from tests.queued import not_measured

NAMES = [one.name.removesuffix("_R") for one in fields(Outcomes) if one.name.endswith("_R")]


def write(database: Database, job: Job, outcomes: Outcomes, *, staged: bool) -> None:
    with database.transaction(lambda opened: stage(opened, job.key, outcomes=outcomes if staged else None)) as session:
        write_outcomes(session, job.key, outcomes)


def repeated(outcomes: Outcomes, times: int) -> Outcomes:
    """The same outcomes again and again, for runs with numbers of their own."""
    arrays = {f"{name}_R": np.tile(getattr(outcomes, f"{name}_R"), times) for name in NAMES}
    status = list(outcomes.status) * times
    return replace(outcomes, **{**arrays, "status": status, "index_R": np.arange(len(status))})


@pytest.mark.parametrize("staged", [False, True], ids=["direct", "staged"])
# Few rows are not staged on SQLite, so that both ways write many.
@pytest.mark.parametrize("times", [1, 200], ids=["few", "many"])
def test_outcomes_are_read_as_they_were_written(database: Database, times: int, staged: bool) -> None:
    job = three_runs(database)
    # Rows of runs are inserted by the first chunk and replaced by the next ones.
    first = Outcomes(
        index_R=np.arange(3),
        status=["running"] * 3,
        epochs_done_R=np.zeros(3, dtype=np.int64),
        final_loss_R=np.ones(3),
        best_loss_R=np.ones(3),
        best_epoch_R=np.zeros(3, dtype=np.int64),
        diverged_epoch_R=np.full(3, -1),
        **not_measured(3),
    )
    outcomes = Outcomes(
        index_R=np.arange(3),
        status=["running", "diverged", "completed"],
        epochs_done_R=np.array([0, 9, 9]),
        final_loss_R=np.array([np.nan, np.nan, -0.0]),
        best_loss_R=np.array([np.inf, 1.0, -0.0]),
        best_epoch_R=np.array([-1, 0, 9]),
        diverged_epoch_R=np.array([-1, 9, -1]),
        test_loss_R=np.array([np.nan, 0.5, -0.0]),
        test_accuracy_R=np.array([np.nan, np.nan, 1.0]),
        loss_area_R=np.array([np.nan, np.inf, 0.25]),
        history_digest_R=np.array([7, 0xFEDC_BA98_7654_3210, 0x1234_5678_9ABC_DEF0], dtype=np.uint64),
    )
    for written in (first, outcomes):
        write(database, job, repeated(written, times), staged=staged)
    with database.snapshot() as session:
        runs = session.execute(select(Run).order_by(Run.index)).scalars().all()
        (done_R,), (final_R, best_R), (no_final_R, no_best_R) = database.dialect.read(
            session, ["epochs_done"], ["final_loss", "best_loss"], 'FROM runs ORDER BY "index"'
        )
    digest = 0xFEDC_BA98_7654_3210 - 2**64
    assert [run.status for run in runs] == [*outcomes.status] * times
    assert [(run.best_epoch, run.diverged_epoch) for run in runs] == [(None, None), (0, 9), (9, None)] * times
    assert [(run.test_loss, run.test_accuracy) for run in runs] == [(None, None), (0.5, None), (-0.0, 1.0)] * times
    measured = [(None, None), (np.inf, digest), (0.25, 0x1234_5678_9ABC_DEF0)]
    assert [(run.loss_area, run.history_digest) for run in runs] == measured * times
    assert done_R.tolist() == [0, 9, 9] * times
    assert (no_final_R.tolist(), no_best_R.tolist()) == ([True, False, False] * times, [True, False, False] * times)
    assert [repr(value) for value in final_R.tolist()] == ["nan", "nan", "-0.0"] * times
    assert [repr(value) for value in best_R.tolist()] == ["nan", "1.0", "-0.0"] * times


def test_the_last_row_of_a_run_is_that_of_its_last_epoch(database: Database) -> None:
    job = three_runs(database)
    with database.transaction() as session:
        session.execute(update(Run).where(Run.index == 0).values(epochs_done=0))
    with database.snapshot() as session:
        last = read_last(session, job, ["loss", "accuracy"])
    assert last["loss"].tolist() == [0.0, 1.9, 2.9]
    assert np.isnan(last["accuracy"]).all()
