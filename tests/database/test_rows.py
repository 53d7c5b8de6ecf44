"""The contract of both dialects, part one: metric rows and states of runs are read as they were written."""

import numpy as np
import pytest
from sqlalchemy import func, select

from service.database.bulk import MetricRows, StoredTwice
from service.database.connection import Database
from service.database.metric_rows import Metric
from service.database.reading import (
    PIECE_ROWS,
    first_epochs,
    measure,
    read,
    read_points,
    stream,
)
from service.database.spans import Span
from service.database.tables import Job
from service.database.writing import stage
from service.errors import NotFound
from service.jobs import removal
from tests.database.rows import LOSSES, create, rows_of, three_runs, write

NUMBERS = [1.5, np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308, 0.1]


@pytest.fixture
def job(database: Database) -> Job:
    return three_runs(database)


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
