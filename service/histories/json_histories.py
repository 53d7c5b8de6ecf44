"""Histories as JSON: an object per run with an array per field, written from pieces of rows.

A history that fits into a piece is read at once. A longer one is read several times: each time one field is written
while it is read, and as many further fields as fit are held in memory. The answer is the history at the time of the
first read, because rows are only added, at later epochs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import orjson

from service.database.connection import Database
from service.database.ids import run_id
from service.database.reading import PIECE_ROWS, MetricColumns, measure, read, require, stream
from service.database.spans import Span, joined, rows_of_run
from service.database.tables import Job
from service.histories.arrays import arrays, named
from service.histories.reading import Selection
from service.histories.thinned import thin_runs, thinned
from service.spec.runs import Runs

# Values of a long history that are held in memory as text, 20 bytes each, while another field is written.
HELD_VALUES = 1_000_000


def one_run(database: Database, job: Job, runs: Runs, index: int, selection: Selection) -> Iterator[bytes]:
    """Write one run's history; a run without rows has columns without values.

    Args:
        database: The database; each piece is read with a connection of its own.
        job: The run's job.
        runs: The job's runs.
        index: The run's index.
        selection: The fields and epochs to write.
    """
    written = False
    for piece in _objects(database, job, runs, [index], selection):
        written = True
        yield piece
    if not written:
        fields = ("epoch", *selection.fields)
        yield _object(job, runs, index, fields, [b"[]"] * len(fields), (0, 0))
    yield b',"next":null}'


def page(
    database: Database, job: Job, runs: Runs, indices: Sequence[int], selection: Selection, next_cursor: str | None
) -> Iterator[bytes]:
    """Write the histories of those runs that have rows: ``{"runs": [...], "next": ...}``; arguments as in ``one_run``.

    Raises:
        NotFound: The job was deleted during the answer; an incomplete history must not look complete.
    """
    yield b'{"runs":['
    between = b""
    for piece in _objects(database, job, runs, indices, selection):
        # Only the first piece of an object begins with a brace.
        yield between + piece if piece.startswith(b"{") else piece
        between = b"},"
    yield (b"}" if between else b"") + b'],"next":' + orjson.dumps(next_cursor) + b"}"


def _objects(database: Database, job: Job, runs: Runs, indices: Sequence[int], selection: Selection) -> Iterator[bytes]:
    """Write an object for each run that has rows, in pieces, without its last brace."""
    record_every = runs.spec.record_every
    end_epoch = runs.spec.epochs + 1
    if selection.to_epoch is not None:
        end_epoch = min(end_epoch, selection.to_epoch + 1)
    spans = [Span(index, index + 1, selection.from_epoch, end_epoch) for index in indices]
    if not spans or selection.from_epoch >= end_epoch:
        return
    rows_per_run = rows_of_run(spans[0], record_every)
    if rows_per_run > PIECE_ROWS:
        for span in spans:
            yield from _long(database, job, runs, span, selection)
        return
    together = max(1, PIECE_ROWS // rows_per_run)
    for at in range(0, len(spans), together):
        with database.snapshot() as session:
            found = [read(session, job.key, span, selection.columns) for span in joined(spans[at : at + together])]
            require(session, job)
        for rows in found:
            yield from _whole(job, runs, rows, selection)


def _whole(job: Job, runs: Runs, rows: MetricColumns, selection: Selection) -> Iterator[bytes]:
    """Write runs whose rows are complete."""
    totals = [last - first for _, first, last in rows.runs()]
    if selection.max_points is not None:
        rows = thin_runs(rows, selection.max_points)
    fields = ("epoch", *selection.fields)
    for total, (index, first, last) in zip(totals, rows.runs(), strict=True):
        written = list(arrays(rows, first, last, fields, selection.dimension))
        yield _object(job, runs, index, fields, written, (total, last - first))


def _long(database: Database, job: Job, runs: Runs, span: Span, selection: Selection) -> Iterator[bytes]:
    """Write a run that does not fit into a piece; write nothing if it has no rows."""
    with database.snapshot() as session:
        total, end_epoch = measure(session, job.key, span)
        require(session, job)
    if total == 0:
        return
    span, record_every = replace(span, end_epoch=end_epoch), runs.spec.record_every
    fields = ("epoch", *selection.fields)
    if selection.max_points is not None and total > selection.max_points:
        kept = thinned(database, job, [span], selection.columns, record_every, selection.max_points)
        rows = _concatenated(list(kept))
        written = list(arrays(rows, 0, len(rows), fields, selection.dimension))
        yield _object(job, runs, span.first_run, fields, written, (total, len(rows)))
        return
    yield _head(job, runs, span.first_run)
    together = 1 + HELD_VALUES // total
    for at in range(0, len(fields), together):
        yield from _columns(database, job, span, record_every, replace(selection, fields=fields[at : at + together]))
    yield _counts(total, total)


def _columns(database: Database, job: Job, span: Span, record_every: int, selection: Selection) -> Iterator[bytes]:
    """Write some fields of a run with one read: the first as its rows arrive, the others from memory."""
    fields = selection.fields
    columns = replace(selection, fields=tuple(field for field in fields if field != "epoch")).columns
    openings = [b',"' + field.encode() + b'":[' for field in fields]
    held: list[list[bytes]] = [[] for _ in fields]
    before = b""
    yield openings[0]
    for rows in stream(database, job, [span], columns, record_every):
        written = arrays(rows, 0, len(rows), fields, selection.dimension)
        yield before + next(written)[1:-1]
        before = b","
        for pieces, array in zip(held[1:], written, strict=True):
            pieces.append(array[1:-1])
    yield b"]"
    for opening, pieces in zip(openings[1:], held[1:], strict=True):
        yield opening
        yield from (piece if at == 0 else b"," + piece for at, piece in enumerate(pieces))
        yield b"]"


def _concatenated(pieces: Sequence[MetricColumns]) -> MetricColumns:
    """Join pieces of the same columns, at least one."""
    return replace(
        pieces[0],
        index_N=np.concatenate([rows.index_N for rows in pieces]),
        epoch_N=np.concatenate([rows.epoch_N for rows in pieces]),
        values_CN=np.concatenate([rows.values_CN for rows in pieces], axis=1),
        null_CN=np.concatenate([rows.null_CN for rows in pieces], axis=1),
    )


def _object(
    job: Job, runs: Runs, index: int, fields: Sequence[str], written: Sequence[bytes], counts: tuple[int, int]
) -> bytes:
    return _head(job, runs, index) + b"," + named(fields, written) + _counts(*counts)


def _head(job: Job, runs: Runs, index: int) -> bytes:
    """Write the beginning of an object: the members that identify the run."""
    run = runs[index]
    return orjson.dumps({"run_id": run_id(job.id, index), "label": run.label, "seed": run.seed})[:-1]


def _counts(total: int, returned: int) -> bytes:
    return b',"total_points":%d,"returned_points":%d' % (total, returned)
