"""Histories longer than a block, on both databases: the same JSON as in one piece, with bounded memory."""

import json
import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json
from sqlalchemy import select

from service.analysis.thinning import Extremes, positions, thin
from service.database import reading
from service.database.bulk import MetricRows
from service.database.connection import Database
from service.database.ids import run_id
from service.database.metric_rows import Metric
from service.database.tables import Job, Run
from service.database.writing import write_rows
from service.errors import NotFound
from service.histories import json_histories, thinned
from service.histories.reading import Selection
from service.jobs import lifecycle
from service.jobs.owners import ANYBODY
from service.spec.job import JobSpec
from service.spec.price import price
from service.spec.runs import Runs

FIELDS = ("loss", "grad_norm", "update_norm", "position")
SELECTION = Selection(fields=FIELDS, dimension=2)
NUM_ROWS = 2_500


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the size of blocks, so that a history has several, the last one shorter."""
    for module in (reading, json_histories, thinned):
        monkeypatch.setattr(module, "PIECE_ROWS", 1_000)
    monkeypatch.setattr(reading, "LOOKED_UP_ROWS", 64)
    # Three fields at a time: some are written as they are read, some from memory, and one alone.
    monkeypatch.setattr(json_histories, "HELD_VALUES", 2 * NUM_ROWS)


def job_with_rows(database: Database, num_rows: int = NUM_ROWS, num_runs: int = 2) -> Job:
    """A job whose first run has all kinds of numbers; its extremes are at positions that even thinning would omit."""
    spec = JobSpec.model_validate(
        {
            "problem": {"kind": "surface", "name": "ravine"},
            "optimizers": [{"kind": "sgd", "lr": 0.1}],
            "seeds": {"count": num_runs},
            "epochs": num_rows - 1,
        }
    )
    columns = ("loss", "grad_norm", "update_norm", "x", "y")
    values_FN = np.random.default_rng(0).normal(size=(5, num_rows))
    values_FN[0, 1_234], values_FN[1, 2_001] = -50.0, 50.0
    values_FN[0, [7, 1_500, num_rows - 1]] = np.nan, np.inf, -np.inf
    values_FN[1, 3:5] = 1e308, -0.0
    measured_FN = np.ones((5, num_rows), dtype=bool)
    measured_FN[2, 0] = False
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, price(spec))
        rows = MetricRows(columns, np.zeros(num_rows, dtype=np.int64), np.arange(num_rows), values_FN, measured_FN)
        write_rows(session, job.key, rows)
        write_rows(session, job.key, replace(rows, run_index_N=rows.run_index_N + 1))
        session.add_all(Run(job_key=job.key, index=run, status="running", epochs_done=0) for run in (0, 1))
    return job


def runs_of(job: Job) -> Runs:
    return Runs(JobSpec.model_validate(job.spec))


def in_one_piece(database: Database, job: Job, selection: Selection) -> list[dict[str, Any]]:
    """The rows as read by SQLAlchemy, as the objects of the JSON answer."""
    runs, objects = runs_of(job), []
    chosen = [getattr(Metric, name) for name in selection.columns]
    last = runs.spec.epochs if selection.to_epoch is None else selection.to_epoch
    for index in (0, 1):
        query = (
            select(Metric.epoch, *chosen)
            .where(Metric.job_key == job.key, Metric.run_index == index)
            .where(Metric.epoch >= selection.from_epoch, Metric.epoch <= last)
            .order_by(Metric.epoch)
        )
        with database.snapshot() as session:
            rows = [tuple(row) for row in session.execute(query)]
        total = len(rows)
        if selection.max_points is not None and total > selection.max_points:
            numbers = np.array([row[1:] for row in rows], dtype=np.float64)
            rows = [rows[at] for at in thin(list(numbers.T), total, selection.max_points)]
        values = [list(column) for column in zip(*rows, strict=True)]
        columns = dict(zip(["epoch", *selection.columns], values, strict=True))
        if "position" in selection.fields:
            columns["position"] = [list(point) for point in zip(columns.pop("x"), columns.pop("y"), strict=True)]
        run = runs[index]
        named = {"run_id": run_id(job.id, index), "label": run.label, "seed": run.seed}
        objects.append({**named, **columns, "total_points": total, "returned_points": len(rows)})
    return objects


def as_json(content: Any) -> bytes:
    return to_json(content, inf_nan_mode="strings")


@pytest.mark.slow(after=1)
@pytest.mark.usefixtures("short_blocks")
@pytest.mark.parametrize(
    "changes",
    [{}, {"max_points": 200}, {"from_epoch": 100, "to_epoch": 2_200}, {"fields": ("position",)}, {"max_points": 2_499},
     {"from_epoch": 500, "max_points": 2}],
    ids=str,
)  # fmt: skip
def test_a_long_history_has_the_same_bytes_as_in_one_piece(database: Database, changes: dict[str, Any]) -> None:
    job = job_with_rows(database)
    selection = replace(SELECTION, **changes)
    whole = in_one_piece(database, job, selection)
    paged = b"".join(json_histories.page(database, job, runs_of(job), [0, 1], selection, "more"))
    assert paged == as_json({"runs": whole, "next": "more"})
    one = b"".join(json_histories.one_run(database, job, runs_of(job), 1, selection))
    assert one == as_json({**whole[1], "next": None})


def test_short_histories_have_the_same_bytes_as_in_one_piece(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_with_rows(database)
    for rows in (NUM_ROWS + 1, 2 * NUM_ROWS + 2):  # One of them in a block, or both.
        monkeypatch.setattr(json_histories, "PIECE_ROWS", rows)
        for selection in (SELECTION, replace(SELECTION, max_points=100), replace(SELECTION, from_epoch=2_000)):
            paged = b"".join(json_histories.page(database, job, runs_of(job), [0, 1], selection, None))
            assert paged == as_json({"runs": in_one_piece(database, job, selection), "next": None})


@pytest.mark.usefixtures("short_blocks")
def test_a_long_run_without_rows_has_columns_without_values(database: Database) -> None:
    job = job_with_rows(database, num_runs=3)
    empty = json.loads(b"".join(json_histories.one_run(database, job, runs_of(job), 2, SELECTION)))
    assert empty == {"run_id": run_id(job.id, 2), "label": "sgd", "seed": 2, "epoch": [],
                     **{field: [] for field in FIELDS}, "total_points": 0, "returned_points": 0,
                     "next": None}  # fmt: skip
    paged = json_histories.page(database, job, runs_of(job), [2], SELECTION, None)
    assert json.loads(b"".join(paged)) == {"runs": [], "next": None}


@pytest.mark.parametrize("block_rows", [NUM_ROWS + 1, 1_000])
def test_an_incomplete_history_of_a_deleted_job_does_not_look_complete(
    database: Database, monkeypatch: pytest.MonkeyPatch, block_rows: int
) -> None:
    monkeypatch.setattr(json_histories, "PIECE_ROWS", block_rows)
    job = job_with_rows(database)
    pieces = json_histories.page(database, job, runs_of(job), [0, 1], SELECTION, None)
    assert next(pieces)
    assert next(pieces)
    with database.transaction() as session:
        lifecycle.remove(session, job.id, ANYBODY)
    with pytest.raises(NotFound, match="deleted while"):
        list(pieces)


@pytest.mark.slow
@pytest.mark.parametrize("max_points", [None, 1_000], ids=["whole", "thinned"])
def test_the_memory_that_a_history_takes_does_not_grow_with_it(
    new_database: Any, monkeypatch: pytest.MonkeyPatch, max_points: int | None
) -> None:
    # So few that the shorter history, too, is read more than once.
    monkeypatch.setattr(json_histories, "HELD_VALUES", 45_000)
    database = Database(new_database("sqlite"))
    peaks = []
    for num_rows in (45_000, 135_000):  # More than two blocks: the one that is read, and the one before.
        job = job_with_rows(database, num_rows)
        selection = replace(SELECTION, max_points=max_points)
        tracemalloc.start()
        for _ in json_histories.one_run(database, job, runs_of(job), 0, selection):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    database.close()
    # As Python numbers, three times as many rows would take about 45 MB more.
    assert peaks[1] < peaks[0] + 3e6
    assert peaks[1] < 40e6


numbers = st.one_of(st.floats(width=32), st.just(np.nan), st.sampled_from([np.inf, -np.inf, 0.0, 1.0]))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(column=st.lists(numbers, min_size=3, max_size=60), block=st.integers(1, 20), max_points=st.integers(2, 20))
def test_extremes_are_the_same_block_by_block(column: list[float], block: int, max_points: int) -> None:
    values = np.array(column)
    extremes = Extremes()
    for at in range(0, len(values), block):
        extremes.add(values[at : at + block])
    chosen = positions([extremes], len(values), max_points)
    np.testing.assert_array_equal(chosen, thin([values], len(values), max_points))
    kept = values[chosen]
    assert {0, len(values) - 1} <= set(chosen.tolist())
    finite = values[np.isfinite(values)]
    if len(finite) > 0:
        assert finite.min() in kept
        assert finite.max() in kept
        assert set(np.flatnonzero(~np.isfinite(values)).tolist()) <= set(chosen.tolist())
