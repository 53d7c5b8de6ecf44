"""Reader of metric rows, as columns of numpy.

``stream`` reads in pieces, each in a transaction of its own, so that a slow client keeps no transaction open. Its
spans end at epochs that are stored already, so rows that workers add meanwhile are not read.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from sqlalchemy import Exists, SQLColumnExpression, exists, func, select
from sqlalchemy.orm import Session

from service.database.bulk import Bools, Floats, Integers
from service.database.connection import Database
from service.database.dialects.dialect import Dialect
from service.database.dialects.known import dialect_of
from service.database.epochs import BLOCK_BITS, among, block_of, within
from service.database.metric_rows import Metric
from service.database.spans import ALL_EPOCHS, Span, joined, windows
from service.database.tables import Job
from service.errors import NotFound

# Rows in memory at once: with ten columns about 2 MB.
PIECE_ROWS = 20_000
# Rows that one query looks up by their epochs.
LOOKED_UP_ROWS = 1_000


@dataclass(frozen=True)
class MetricColumns:
    """N rows of C columns, sorted by run and epoch. A value that was not measured is NaN, and True in ``null_CN``."""

    columns: tuple[str, ...]
    index_N: Integers
    epoch_N: Integers
    values_CN: Floats
    null_CN: Bools

    def __len__(self) -> int:
        return len(self.index_N)

    def take(self, positions: Integers) -> "MetricColumns":
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


def stream(
    database: Database, job: Job, spans: Sequence[Span], columns: Sequence[str], record_every: int
) -> Iterator[MetricColumns]:
    """Read spans in pieces; pieces without rows are left out.

    Raises:
        NotFound: The job has been deleted meanwhile.
    """
    for span in joined(spans):
        for window in windows(span, record_every, PIECE_ROWS):
            with database.snapshot() as session:
                piece = read(session, job.key, window, columns)
                require(session, job)
            if len(piece):
                yield piece


def stream_epochs(
    database: Database, job: Job, run: int, epoch_N: Integers, columns: Sequence[str]
) -> Iterator[MetricColumns]:
    """Read rows of one run by their epochs, which are sorted and stored; each row is looked up by its key.

    Raises:
        NotFound: The job has been deleted meanwhile.
    """
    for first in range(0, len(epoch_N), LOOKED_UP_ROWS):
        epochs = epoch_N[first : first + LOOKED_UP_ROWS].tolist()
        blocks = sorted({epoch >> BLOCK_BITS for epoch in epochs})
        rest = (
            f"FROM metrics AS m WHERE m.job_key = {job.key:d} AND m.run_index = {run:d} AND m.epoch IN {_list(epochs)} "
            f"AND {block_of('m.epoch')} IN {_list(blocks)} ORDER BY m.epoch"
        )
        with database.snapshot() as session:
            (found_N,), values_CN, null_CN = dialect_of(session).read(
                session, ["m.epoch"], [f"m.{name}" for name in columns], rest
            )
            require(session, job)
        yield MetricColumns(tuple(columns), np.full(len(found_N), run), found_N, values_CN, null_CN)


def _list(numbers: Sequence[int]) -> str:
    return f"({', '.join(f'{number:d}' for number in numbers)})"


def require(session: Session, job: Job) -> None:
    """Check that a job still exists after rows of it were read, so that these were all.

    Raises:
        NotFound: The job was deleted, and the rows may be incomplete.
    """
    if session.execute(select(Job.key).where(Job.key == job.key)).one_or_none() is None:
        raise NotFound(f"job {job.id} was deleted while its histories were read")


def read(session: Session, job_key: int, span: Span, columns: Sequence[str]) -> MetricColumns:
    """Read one span."""
    dialect = dialect_of(session)
    integers, rest = _query(dialect, job_key, span)
    (*index, epoch_N), values_CN, null_CN = dialect.read(session, integers, [f"m.{name}" for name in columns], rest)
    index_N = index[0] if index else np.full(len(epoch_N), span.first_run)
    return MetricColumns(tuple(columns), index_N, epoch_N, values_CN, null_CN)


def read_last(session: Session, job: Job, columns: Sequence[str]) -> dict[str, Floats]:
    """Read columns of the last row of each of R runs, [R] each; NaN where a run has no row, or the value is none."""
    if not columns:
        return {}
    (index_N,), values_CN, _ = dialect_of(session).read(
        session,
        ['r."index"'],
        [f"m.{name}" for name in columns],
        'FROM runs r JOIN metrics m ON m.job_key = r.job_key AND m.run_index = r."index" AND m.epoch = r.epochs_done '
        f"AND {block_of('m.epoch')} = {block_of('r.epochs_done')} WHERE r.job_key = {job.key:d}",
    )
    require(session, job)
    last_CR = np.full((len(columns), job.runs_total), np.nan)
    last_CR[:, index_N] = values_CN
    return dict(zip(columns, last_CR, strict=True))


def read_points(
    session: Session, job_key: int, runs: Sequence[int], epochs: Sequence[int], columns: Sequence[str]
) -> dict[str, Floats]:
    """Read columns of some runs at some epochs, [runs, epochs] each; NaN where there is no row or no number.

    Both databases look up each row by its key: what is not wanted is not read.
    """
    query = select(Metric.run_index, Metric.epoch, *(getattr(Metric, name) for name in columns)).where(
        Metric.job_key == job_key, Metric.run_index.in_(runs), *among(epochs)
    )
    at_run = {run: at for at, run in enumerate(runs)}
    at_epoch = {epoch: at for at, epoch in enumerate(epochs)}
    found = {name: np.full((len(runs), len(epochs)), np.nan) for name in columns}
    for run, epoch, *values in session.execute(query):
        for name, value in zip(columns, values, strict=True):
            if value is not None:
                # SQLite has the text 'NaN', which float reads.
                found[name][at_run[run], at_epoch[epoch]] = float(value)
    return found


def first_epochs(session: Session, job_key: int, span: Span, loss: float, *, above: bool = False) -> Floats:
    """Find the first epoch at which each run of a span has a loss of at most ``loss``; infinite where it has none.

    ``above``: of at least ``loss``, and finite.
    """
    # A NaN is above every number on both databases: as the text 'NaN' on SQLite, by definition on PostgreSQL.
    reached = [Metric.loss >= loss, Metric.loss <= sys.float_info.max] if above else [Metric.loss <= loss]
    query = (
        select(Metric.run_index, func.min(Metric.epoch))
        .where(
            Metric.job_key == job_key,
            Metric.run_index >= span.first_run,
            Metric.run_index < span.end_run,
            *reached,
        )
        .group_by(Metric.run_index)
    )
    epochs_R = np.full(span.end_run - span.first_run, np.inf)
    for index, epoch in session.execute(query):
        epochs_R[index - span.first_run] = epoch
    return epochs_R


def measure(session: Session, job_key: int, span: Span) -> tuple[int, int]:
    """Count the rows of the first run of a span; with the epoch behind the last one, 0 where there is none."""
    of_run = Metric.job_key == job_key, Metric.run_index == span.first_run
    inside = select(func.count(), func.max(Metric.epoch)).where(*of_run, *within(span.first_epoch, span.end_epoch - 1))
    num_rows, last = session.execute(inside).one()
    return num_rows, 0 if last is None else last + 1


def has_first_row(job_key: int, run_index: SQLColumnExpression[int]) -> Exists:
    """Write the condition that the row of epoch 0 of a run is stored."""
    return exists().where(Metric.job_key == job_key, Metric.run_index == run_index, *within(0, 0))


def _query(dialect: Dialect, job_key: int, span: Span) -> tuple[list[str], str]:
    """Write the query of a span: its integer columns, without the index for a single run, and what follows them."""
    is_limited = span.first_epoch > 0 or span.end_epoch < ALL_EPOCHS
    epochs = " AND " + dialect.epochs_within(span.first_epoch, span.end_epoch) if is_limited else ""
    if span.end_run - span.first_run == 1:
        of_run = f"m.job_key = {job_key:d} AND m.run_index = {span.first_run:d}{epochs}"
        return ["m.epoch"], f"FROM metrics AS m WHERE {of_run} ORDER BY m.epoch"
    if span.first_epoch == 0:
        # A contiguous piece of the key. Behind a range of runs, no index limits the epochs.
        of_runs = f"m.job_key = {job_key:d} AND m.run_index >= {span.first_run:d} AND m.run_index < {span.end_run:d}"
        return ["m.run_index", "m.epoch"], f"FROM metrics AS m WHERE {of_runs}{epochs} ORDER BY m.run_index, m.epoch"
    # A few epochs of many runs: looked up run by run, because each run's earlier rows stand between. Without the +
    # SQLite would search the range of runs in metrics too, once for each run.
    of_job = f'r.job_key = {job_key:d} AND r."index" >= {span.first_run:d} AND r."index" < {span.end_run:d}'
    of_run = f'm.job_key = {job_key:d} AND m.run_index = +r."index"{epochs}'
    return ['r."index"', "m.epoch"], f'{dialect.each_run(of_job, of_run)} ORDER BY r."index", m.epoch'
