"""How do rows get out in bulk? As columns of numpy, read a block at a time on the driver's own cursor.

Each block is a transaction of its own, so that a client that reads slowly holds nothing open. What is to be read is
said beforehand, as spans of runs and epochs up to which rows are stored: what a worker adds meanwhile changes nothing.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.database.connection import Database
from service.database.engines import READERS_CACHE_KIB
from service.database.epochs import BLOCK_BITS, block_of
from service.database.tables import Job
from service.errors import NotFound

# Rows in memory at once: of ten columns about 5 MB as Python's numbers, and 2 MB as numpy's.
BLOCK_ROWS = 20_000


@dataclass(frozen=True)
class Span:
    """Rows of a job: runs from ``first_run`` to before ``end_run``, epochs from ``first_epoch`` to before the end."""

    first_run: int
    end_run: int
    first_epoch: int
    end_epoch: int


@dataclass(frozen=True)
class Block:
    """N rows of C columns, sorted by run and epoch. What was not measured is NaN here, and True in ``null_CN``."""

    columns: tuple[str, ...]
    index_N: NDArray[np.int64]
    epoch_N: NDArray[np.int64]
    values_CN: NDArray[np.float64]
    null_CN: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.index_N)

    def take(self, positions: NDArray[np.int64]) -> "Block":
        """Give some of the rows."""
        return replace(
            self,
            index_N=self.index_N[positions],
            epoch_N=self.epoch_N[positions],
            values_CN=np.ascontiguousarray(self.values_CN[:, positions]),
            null_CN=self.null_CN[:, positions],
        )

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Find the runs: (index, first row, one past the last)."""
        if not len(self):
            return
        firsts = [0, *(np.flatnonzero(np.diff(self.index_N)) + 1).tolist(), len(self)]
        for first, last in pairwise(firsts):
            yield int(self.index_N[first]), first, last


def blocks(
    database: Database, job: Job, spans: Sequence[Span], columns: Sequence[str], record_every: int
) -> Iterator[Block]:
    """Read spans, a block at a time; blocks without rows are left out.

    Raises:
        NotFound: The job has been deleted meanwhile.
    """
    for span in joined(spans):
        for window in windows(span, record_every, BLOCK_ROWS):
            with database.snapshot() as session:
                block = read(session, job.key, window, columns)
                require(session, job)
            if len(block):
                yield block


def require(session: Session, job: Job) -> None:
    """Look whether a job is still there after rows of it were read, so that these were all.

    Raises:
        NotFound: It has been deleted: half a history must not end like a whole one.
    """
    if session.execute(select(Job.key).where(Job.key == job.key)).one_or_none() is None:
        raise NotFound(f"job {job.id} was deleted while its histories were read")


def concatenated(blocks: Sequence[Block]) -> Block:
    """Join blocks of the same columns, of which there is at least one."""
    return replace(
        blocks[0],
        index_N=np.concatenate([block.index_N for block in blocks]),
        epoch_N=np.concatenate([block.epoch_N for block in blocks]),
        values_CN=np.concatenate([block.values_CN for block in blocks], axis=1),
        null_CN=np.concatenate([block.null_CN for block in blocks], axis=1),
    )


def joined(spans: Sequence[Span]) -> Iterator[Span]:
    """Join neighbours of the same epochs, and leave out what is empty."""
    waiting: Span | None = None
    for span in spans:
        if span.first_run >= span.end_run or span.first_epoch >= span.end_epoch:
            continue
        if waiting is not None and replace(waiting, first_run=waiting.end_run, end_run=span.end_run) == span:
            waiting = replace(waiting, end_run=span.end_run)
            continue
        if waiting is not None:
            yield waiting
        waiting = span
    if waiting is not None:
        yield waiting


def rows_of_run(span: Span, record_every: int) -> int:
    """Bound the rows that one run may have in a span: every n-th epoch, the first and the last."""
    return min(span.end_epoch - span.first_epoch, (span.end_epoch - span.first_epoch) // record_every + 2)


def windows(span: Span, record_every: int, max_rows: int) -> Iterator[Span]:
    """Cut a span into such as have at most so many rows, sorted by run and epoch."""
    per_run = rows_of_run(span, record_every)
    if per_run <= max_rows:
        together = max_rows // per_run
        for first in range(span.first_run, span.end_run, together):
            yield replace(span, first_run=first, end_run=min(first + together, span.end_run))
        return
    step = (max_rows - 2) * record_every
    for run in range(span.first_run, span.end_run):
        for first in range(span.first_epoch, span.end_epoch, step):
            yield Span(run, run + 1, first, min(first + step, span.end_epoch))


def read(session: Session, job_key: int, span: Span, columns: Sequence[str]) -> Block:
    """Read one span as it is."""
    connection: Any = session.connection().connection.driver_connection
    is_one_run = span.end_run - span.first_run == 1
    num_columns = len(columns) + (1 if is_one_run else 2)
    if isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA cache_size = {-READERS_CACHE_KIB}")
        # Not a list of them: rows that live on wake the garbage collector.
        rows = connection.execute(_statement(True, job_key, span, columns))
        numbers_NK = _as_array(rows, num_columns)
        null_NK = np.isnan(numbers_NK) & np.signbit(numbers_NK)
    else:
        with connection.cursor(binary=True) as cursor:
            rows = cursor.execute(_statement(False, job_key, span, columns)).fetchall()
        numbers_NK = _as_array(rows, num_columns)
        # numpy makes NaN of None; only where there is one do the rows have to be asked.
        null_NK = np.isnan(numbers_NK)
        at_N, at_K = np.nonzero(null_NK)
        null_NK[at_N, at_K] = [
            rows[at][column] is None for at, column in zip(at_N.tolist(), at_K.tolist(), strict=True)
        ]
    return Block(
        columns=tuple(columns),
        index_N=np.full(len(numbers_NK), span.first_run) if is_one_run else numbers_NK[:, 0].astype(np.int64),
        epoch_N=numbers_NK[:, -len(columns) - 1].astype(np.int64),
        values_CN=np.ascontiguousarray(numbers_NK[:, num_columns - len(columns) :].T),
        null_CN=np.ascontiguousarray(null_NK[:, num_columns - len(columns) :].T),
    )


def _as_array(rows: Iterable[Sequence[Any]], num_columns: int) -> NDArray[np.float64]:
    return np.fromiter(chain.from_iterable(rows), dtype=np.float64).reshape(-1, num_columns)


def _statement(is_sqlite: bool, job_key: int, span: Span, columns: Sequence[str]) -> str:
    """Write the query, for one run without its index. Names are columns of ours and all else is a number.

    SQLite's NULL comes as the text of a NaN with a sign, which no stored NaN has: numpy reads both, and keeps the sign.
    """
    epochs = f"m.epoch >= {span.first_epoch:d} AND m.epoch < {span.end_epoch:d}"
    if not is_sqlite:
        first_block, last_block = span.first_epoch >> BLOCK_BITS, span.end_epoch - 1 >> BLOCK_BITS
        epochs += f" AND {block_of('m.epoch')} BETWEEN {first_block:d} AND {last_block:d}"
    is_one_run = span.end_run - span.first_run == 1
    values = [f"ifnull(m.{name}, '-nan')" if is_sqlite else f"m.{name}" for name in columns]
    chosen = ", ".join(["m.epoch", *values])
    if is_one_run:
        of_run = f"job_key = {job_key:d} AND run_index = {span.first_run:d}"
        return f"SELECT {chosen} FROM metrics AS m WHERE {of_run} AND {epochs} ORDER BY epoch"  # noqa: S608
    if span.first_epoch == 0:
        # A contiguous piece of the key. Behind a range of runs the epochs would be looked for one by one.
        of_runs = f"job_key = {job_key:d} AND run_index >= {span.first_run:d} AND run_index < {span.end_run:d}"
        return f"SELECT run_index, {chosen} FROM metrics AS m WHERE {of_runs} AND {epochs} ORDER BY run_index, epoch"  # noqa: S608
    # A few epochs of many runs: looked up run by run, because each run's earlier rows stand between.
    of_job = f'r.job_key = {job_key:d} AND r."index" >= {span.first_run:d} AND r."index" < {span.end_run:d}'
    of_run = f'm.job_key = {job_key:d} AND m.run_index = +r."index" AND {epochs}'
    if is_sqlite:
        # CROSS JOIN is how SQLite is told which table comes first; without the + above it would look for the whole
        # range of runs in the second one as well, once for each run.
        tables = f"runs AS r CROSS JOIN metrics AS m WHERE {of_run} AND {of_job}"
    else:
        # OFFSET 0 keeps PostgreSQL from reading the whole span and joining afterwards.
        later = f"SELECT * FROM metrics AS m WHERE {of_run} OFFSET 0"  # noqa: S608
        tables = f"runs AS r CROSS JOIN LATERAL ({later}) AS m WHERE {of_job}"
    return f'SELECT r."index", {chosen} FROM {tables} ORDER BY r."index", m.epoch'  # noqa: S608
