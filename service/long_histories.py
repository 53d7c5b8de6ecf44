"""How do histories that do not fit in memory get out? As pieces of JSON, from blocks of rows read one after another.

A history is a column per field, and the table has rows: a long one is read once per field, which pays time for memory.
Each block is a short transaction of its own, so that a client that reads slowly holds nothing open. Rows are only ever
added, at later epochs: what is told is the history as it was at the first look.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic_core import to_json
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import metrics
from service.analysis.thinning import Extremes, positions
from service.database import Database
from service.errors import NotFound
from service.metrics import Selection
from service.models import Job, Metric

# Rows that are in memory at once: some ten megabytes as Python's numbers, with the JSON that becomes of them.
BLOCK_ROWS = 20_000
# Rows asked for by name in one statement; a statement of SQLite may have 32,766 parameters.
_NAMED_ROWS = 10_000

Name = Callable[[dict[str, Any]], dict[str, Any]]


def one_run(
    database: Database, job: Job, index: int, selection: Selection, *, rows_per_run: int, name: Name
) -> Iterator[bytes]:
    """Write one run's history; a run without rows has columns without values.

    Args:
        database: Where to read; each block takes a connection for itself.
        job: The run's job.
        index: The run's index.
        selection: What of the history is wanted.
        rows_per_run: Rows that the run has at most.
        name: Says whose history it is, in place of ``index``.
    """
    if rows_per_run > BLOCK_ROWS:
        written = False
        for piece in _long(database, job, index, selection, name, {"next": None}):
            written = True
            yield piece
        if written:
            return
    with database.snapshot() as session:
        history = next(metrics.histories(session, job, [index], selection), metrics.empty(index, selection))
    yield _json({**name(history), "next": None})


def page(
    database: Database,
    job: Job,
    indices: Sequence[int],
    selection: Selection,
    *,
    rows_per_run: int,
    name: Name,
    next_cursor: str | None,
) -> Iterator[bytes]:
    """Write the histories of runs that have rows: ``{"runs": [...], "next": ...}``; arguments as in ``one_run``."""
    yield b'{"runs":['
    comma = b""
    together = max(1, BLOCK_ROWS // rows_per_run)
    for at in range(0, len(indices), together):
        group = indices[at : at + together]
        if rows_per_run > BLOCK_ROWS:
            for piece in _long(database, job, group[0], selection, name, {}):
                yield comma + piece
                comma = b""
            comma = b","
            continue
        with database.snapshot() as session:
            # A job deleted between two groups must not look like one whose last runs have no rows yet.
            _require(session, job)
            for history in metrics.histories(session, job, group, selection):
                yield comma + _json(name(history))
                comma = b","
    yield b'],"next":' + _json(next_cursor) + b"}"


def _long(
    database: Database, job: Job, index: int, selection: Selection, name: Name, more: dict[str, Any]
) -> Iterator[bytes]:
    """Write one history as an object, nothing for a run without rows."""
    with database.snapshot() as session:
        whole = metrics.rows_of(job.key, [index], selection).subquery()
        total, last = session.execute(select(func.count(), func.max(whole.c.epoch)).select_from(whole)).one()
    if total == 0:
        return
    until = replace(selection, to_epoch=last)
    if selection.max_points is not None and total > selection.max_points:
        rows = _thinned(database, job, index, until, total, selection.max_points)
        columns = metrics.in_columns(rows, selection)
        counts = {"total_points": total, "returned_points": len(rows)}
        yield _json({**name({"index": index, **columns, **counts}), **more})
        return
    yield _json(name({"index": index}))[:-1]
    for field in ("epoch", *selection.fields):
        of_field = replace(until, fields=() if field == "epoch" else (field,))
        opening = b',"' + field.encode() + b'":['
        for rows in _blocks(database, job, index, of_field):
            yield opening + _json(metrics.in_columns(rows, of_field)[field])[1:-1]
            opening = b","
        yield b"]"
    yield b"," + _json({"total_points": total, "returned_points": total, **more})[1:]


def _thinned(
    database: Database, job: Job, index: int, selection: Selection, num_points: int, max_points: int
) -> list[tuple[Any, ...]]:
    """Give the rows that stay; the second look reads epochs only, to find those of the positions that were chosen."""
    extremes = [Extremes() for _ in selection.columns]
    for rows in _blocks(database, job, index, selection):
        numbers_FN = np.array([row[2:] for row in rows], dtype=np.float64).reshape(len(rows), -1).T
        for extreme, column in zip(extremes, numbers_FN, strict=True):
            extreme.add(column)
    wanted = positions(extremes, num_points, max_points)
    epochs: list[int] = []
    first = 0
    for rows in _blocks(database, job, index, replace(selection, fields=())):
        inside = wanted[(wanted >= first) & (wanted < first + len(rows))] - first
        epochs += [rows[at][1] for at in inside.tolist()]
        first += len(rows)
    kept: list[tuple[Any, ...]] = []
    for at in range(0, len(epochs), _NAMED_ROWS):
        with database.snapshot() as session:
            _require(session, job)
            query = metrics.rows_of(job.key, [index], selection)
            kept += [
                tuple(row) for row in session.execute(query.where(Metric.epoch.in_(epochs[at : at + _NAMED_ROWS])))
            ]
    return kept


def _blocks(database: Database, job: Job, index: int, selection: Selection) -> Iterator[list[tuple[Any, ...]]]:
    """Read a run's rows, a block at a time.

    Raises:
        NotFound: The job has been deleted meanwhile.
    """
    while True:
        with database.snapshot() as session:
            _require(session, job)
            query = metrics.rows_of(job.key, [index], selection).limit(BLOCK_ROWS)
            rows = [tuple(row) for row in session.execute(query)]
        if not rows:
            return
        yield rows
        if len(rows) < BLOCK_ROWS:
            return
        selection = replace(selection, from_epoch=rows[-1][1] + 1)


def _require(session: Session, job: Job) -> None:
    """Raise NotFound when a job is gone: half a history must not end like a whole one."""
    if session.execute(select(Job.key).where(Job.key == job.key)).one_or_none() is None:
        raise NotFound(f"job {job.id} was deleted while its histories were read")


def _json(content: Any) -> bytes:
    return to_json(content, inf_nan_mode="strings")
