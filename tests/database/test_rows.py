"""The contract of both dialects, part one: metric rows and states of runs are read as they were written."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from service.database.bulk import MetricRows, Outcomes, StoredTwice
from service.database.connection import Database
from service.database.metric_rows import Metric
from service.database.reading import (
    PIECE_ROWS,
    first_epochs,
    measure,
    read,
    read_last,
    read_points,
    stream,
)
from service.database.spans import Span
from service.database.tables import Job, Run
from service.database.writing import stage, write_outcomes, write_rows
from service.errors import NotFound
from service.jobs import lifecycle, removal
from service.spec.job import JobSpec
from service.spec.price import price
from tests.queued import not_measured

NUMBERS = [1.5, np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308, 0.1]
SPEC: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": 0.1}],
    "seeds": {"count": 3},
    "epochs": 9,
}
LOSSES = {run: [run + epoch / 10 for epoch in range(10)] for run in range(3)}


def create(database: Database, **changes: Any) -> Job:
    spec = JobSpec.model_validate({**SPEC, **changes})
    with database.transaction() as session:
        return lifecycle.create(session, spec, price(spec))[0]


def rows_of(run: int, losses: list[float | None], *, first_epoch: int = 0) -> MetricRows:
    """Rows of one run with a loss each; None was not measured, and neither was any accuracy."""
    num = len(losses)
    return MetricRows(
        fields=("loss", "accuracy"),
        run_index_N=np.full(num, run),
        epoch_N=np.arange(first_epoch, first_epoch + num),
        values_FN=np.array([[7.0 if loss is None else loss for loss in losses], [7.0] * num]),
        measured_FN=np.array([[loss is not None for loss in losses], [False] * num]),
    )


def write(database: Database, job: Job, rows: MetricRows, *, staged: bool = False) -> None:
    with database.transaction(lambda connection: stage(connection, job.key, rows if staged else None)) as session:
        write_rows(session, job.key, rows)


@pytest.fixture
def job(database: Database) -> Job:
    """A job of three runs with ten rows each."""
    job = create(database)
    for run, losses in LOSSES.items():
        write(database, job, rows_of(run, list(losses)))
    with database.transaction() as session:
        session.add_all(Run(job_key=job.key, index=run, status="running", epochs_done=9) for run in LOSSES)
    return job


@pytest.mark.parametrize("staged", [False, True], ids=["direct", "staged"])
def test_all_numbers_are_read_as_they_were_written(database: Database, staged: bool) -> None:
    job = create(database)
    write(database, job, rows_of(1, [*NUMBERS, None]), staged=staged)
    with database.snapshot() as session:
        found = read(session, job.key, Span(0, 3), ["loss", "accuracy"])
    assert found.index_N.tolist() == [1] * 9
    assert found.epoch_N.tolist() == list(range(9))
    assert [repr(value) for value in found.values_CN[0].tolist()] == [repr(value) for value in [*NUMBERS, np.nan]]
    assert found.null_CN.tolist() == [[False] * 8 + [True], [True] * 9]
    assert np.isnan(found.values_CN[1]).all()


@pytest.mark.parametrize("staged", [False, True], ids=["direct", "staged"])
def test_many_rows_are_read_as_they_were_written_in_a_transaction_and_outside(database: Database, staged: bool) -> None:
    job, num = create(database), 1_000
    numbers_N = np.random.default_rng(0).choice([*NUMBERS, -2.5, 3.0], num)
    rows = MetricRows(
        fields=("loss", "accuracy"),
        run_index_N=np.repeat([0, 2], num // 2),
        epoch_N=np.tile(np.arange(70_000, 70_000 + num // 2), 2),
        values_FN=np.array([numbers_N, numbers_N[::-1]]),
        measured_FN=np.array([np.ones(num, dtype=bool), np.arange(num) % 3 > 0]),
    )
    write(database, job, rows, staged=staged)
    for opened in (database.snapshot, database.transaction):
        with opened() as session:
            found = read(session, job.key, Span(0, 3), ["accuracy", "loss", "sharpness"])
        assert found.index_N.tolist() == rows.run_index_N.tolist()
        assert found.epoch_N.tolist() == rows.epoch_N.tolist()
        assert found.null_CN.tolist() == [(~rows.measured_FN[1]).tolist(), [False] * num, [True] * num]
        expected = [repr(value) for value in numbers_N[::-1].tolist()]
        expected = [one if known else "nan" for one, known in zip(expected, rows.measured_FN[1], strict=True)]
        assert [repr(value) for value in found.values_CN[0].tolist()] == expected
        assert [repr(value) for value in found.values_CN[1].tolist()] == [repr(value) for value in numbers_N.tolist()]
        assert np.isnan(found.values_CN[2]).all()


def test_a_nan_with_a_sign_is_a_number_that_was_measured(database: Database) -> None:
    job = create(database)
    write(database, job, rows_of(0, [float(np.copysign(np.nan, -1.0))]))
    with database.snapshot() as session:
        found = read(session, job.key, Span(0, 1), ["loss"])
    assert np.isnan(found.values_CN).all()
    assert not found.null_CN.any()


def test_rows_in_which_different_fields_were_measured_are_written_together(database: Database) -> None:
    job = create(database)
    rows = MetricRows(
        fields=("loss", "sharpness"),
        run_index_N=np.array([0, 0, 1, 1]),
        epoch_N=np.array([0, 1, 0, 1]),
        values_FN=np.arange(8.0).reshape(2, 4),
        measured_FN=np.array([[True, True, True, False], [True, False, True, False]]),
    )
    write(database, job, rows)
    with database.snapshot() as session:
        found = read(session, job.key, Span(0, 2), ["loss", "sharpness"])
    assert found.null_CN.tolist() == [[False, False, False, True], [False, True, False, True]]
    assert found.values_CN[0, :3].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("staged", [False, True], ids=["direct", "staged"])
def test_rows_that_are_stored_already_are_refused_and_nothing_of_the_transaction_stays(
    database: Database, job: Job, staged: bool
) -> None:
    with pytest.raises(StoredTwice):
        write(database, job, rows_of(2, [1.0, 2.0], first_epoch=9), staged=staged)
    with database.snapshot() as session:
        assert session.execute(select(func.count()).select_from(Metric)).scalar_one() == 30
    write(database, job, rows_of(2, [1.0, 2.0], first_epoch=10), staged=staged)


def test_rows_staged_by_a_transaction_that_failed_are_not_written_by_the_next(database: Database) -> None:
    job = create(database)
    first, second = rows_of(0, [1.0]), rows_of(1, [2.0])
    with (
        pytest.raises(ZeroDivisionError),
        database.transaction(lambda connection: stage(connection, job.key, first)),
    ):
        raise ZeroDivisionError
    write(database, job, second, staged=True)
    with database.snapshot() as session:
        assert read(session, job.key, Span(0, 3), ["loss"]).index_N.tolist() == [1]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (Span(0, 3), [(run, epoch) for run in range(3) for epoch in range(10)]),
        (Span(1, 2), [(1, epoch) for epoch in range(10)]),
        (Span(1, 2, 4, 6), [(1, 4), (1, 5)]),
        (Span(1, 3, 0, 2), [(1, 0), (1, 1), (2, 0), (2, 1)]),
        (Span(1, 3, 8, 100), [(1, 8), (1, 9), (2, 8), (2, 9)]),
        (Span(3, 5), []),
    ],
    ids=str,
)
def test_a_span_is_read_in_the_order_of_runs_and_epochs(
    database: Database, job: Job, span: Span, expected: list[tuple[int, int]]
) -> None:
    with database.snapshot() as session:
        found = read(session, job.key, span, ["loss"])
    assert list(zip(found.index_N.tolist(), found.epoch_N.tolist(), strict=True)) == expected
    assert found.values_CN[0].tolist() == [LOSSES[run][epoch] for run, epoch in expected]


def test_the_columns_of_no_field_are_the_keys_alone(database: Database, job: Job) -> None:
    with database.snapshot() as session:
        found = read(session, job.key, Span(0, 2, 0, 1), [])
    assert (found.index_N.tolist(), found.values_CN.shape) == ([0, 1], (0, 2))


def test_a_stream_comes_in_pieces_and_is_whole(database: Database) -> None:
    job = create(database, seeds=[0, 1], epochs=PIECE_ROWS + 99)
    values = np.random.default_rng(0).normal(size=PIECE_ROWS + 100)
    for run in range(2):
        write(database, job, rows_of(run, values.tolist()))
    pieces = list(stream(database, job, [Span(0, 2, 0, PIECE_ROWS + 100)], ["loss"], 1))
    assert len(pieces) == 4
    assert max(len(rows) for rows in pieces) <= PIECE_ROWS
    assert np.concatenate([rows.values_CN[0] for rows in pieces]).tolist() == [*values, *values]


def test_a_stream_of_a_job_that_is_deleted_meanwhile_does_not_end_like_a_whole_one(
    database: Database, job: Job
) -> None:
    pieces = stream(database, job, [Span(0, 1, 0, 10), Span(1, 2, 0, 5)], ["loss"], 1)
    next(pieces)
    with database.transaction() as session:
        removal.begin(session, session.get_one(Job, job.key))
    with pytest.raises(NotFound, match="deleted while"):
        list(pieces)


def test_single_rows_are_found_by_run_and_epoch(database: Database, job: Job) -> None:
    with database.snapshot() as session:
        points = read_points(session, job.key, [2, 0, 7], [9, 3], ["loss", "accuracy"])
        assert measure(session, job.key, Span(1, 2, 3, 6)) == (3, 6)
        assert measure(session, job.key, Span(1, 2, 50, 60)) == (0, 0)
        reached = first_epochs(session, job.key, Span(0, 3), 0.35)
    np.testing.assert_array_equal(points["loss"], [[2.9, 2.3], [0.9, 0.3], [np.nan, np.nan]])
    assert np.isnan(points["accuracy"]).all()
    assert reached.tolist() == [0.0, np.inf, np.inf]


def test_a_nan_is_above_every_target(database: Database) -> None:
    job = create(database)
    write(database, job, rows_of(0, [np.nan, np.inf, None, 1.0]))
    with database.snapshot() as session:
        assert first_epochs(session, job.key, Span(0, 1), 2.0).tolist() == [3.0]


def test_outcomes_are_read_as_they_were_written_and_the_last_row_with_them(database: Database, job: Job) -> None:
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
