"""The contract of both dialects, part three: outcomes of runs are read as they were written."""

import numpy as np
from sqlalchemy import select

from service.database.bulk import Outcomes
from service.database.connection import Database
from service.database.reading import read_last
from service.database.tables import Run
from service.database.writing import write_outcomes
from tests.database.rows import three_runs
from tests.queued import not_measured


def test_outcomes_are_read_as_they_were_written_and_the_last_row_with_them(database: Database) -> None:
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
        history_digest_R=np.array([7, 2**64 - 1, 2**63], dtype=np.uint64),
    )
    with database.transaction() as session:
        write_outcomes(session, job.key, first)
        write_outcomes(session, job.key, outcomes)
    with database.snapshot() as session:
        runs = session.execute(select(Run).order_by(Run.index)).scalars().all()
        (done_R,), (final_R, best_R), (no_final_R, no_best_R) = database.dialect.read(
            session, ["epochs_done"], ["final_loss", "best_loss"], 'FROM runs ORDER BY "index"'
        )
        last = read_last(session, job, ["loss", "accuracy"])
    assert [run.status for run in runs] == outcomes.status
    assert [(run.best_epoch, run.diverged_epoch) for run in runs] == [(None, None), (0, 9), (9, None)]
    assert [(run.test_loss, run.test_accuracy) for run in runs] == [(None, None), (0.5, None), (-0.0, 1.0)]
    assert [(run.loss_area, run.history_digest) for run in runs] == [(None, None), (np.inf, -1), (0.25, -(2**63))]
    assert done_R.tolist() == [0, 9, 9]
    assert (no_final_R.tolist(), no_best_R.tolist()) == ([True, False, False], [True, False, False])
    assert [repr(value) for value in final_R.tolist()] == ["nan", "nan", "-0.0"]
    assert [repr(value) for value in best_R.tolist()] == ["nan", "1.0", "-0.0"]
    assert last["loss"].tolist() == [0.0, 1.9, 2.9]
    assert np.isnan(last["accuracy"]).all()
