"""Runs of a job and their states: list, find, and read by index.

The first chunk of a shard inserts the rows of all its runs. A run without a row is queued, or has the status with which
its shard ended; the functions of this module give it as a row that is not stored.
"""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, exists, false, func, or_, select
from sqlalchemy.orm import Session

from service.database.states import SHARD_ENDED, RunStatus
from service.database.tables import Job, Run, Shard
from service.jobs.specs import maximizes

Ranges = list[tuple[int, int]]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class NotStored:
    """Consecutive runs without rows, from ``first`` to before ``end``, and their status."""

    first: int
    end: int
    status: RunStatus


def not_stored(session: Session, job_key: int) -> list[NotStored]:
    """Find the runs without rows, by shard, in order of their indices."""
    has_rows = exists().where(Run.job_key == Shard.job_key, Run.index == Shard.first_run)
    query = select(Shard.first_run, Shard.num_runs, Shard.status).where(Shard.job_key == job_key, ~has_rows)
    return [
        NotStored(first, first + num, RunStatus(status) if status in SHARD_ENDED else RunStatus.QUEUED)
        for first, num, status in session.execute(query.order_by(Shard.first_run))
    ]


def find(session: Session, job: Job, index: int) -> Run | None:
    """Find a run of a job; None if the job has no run with this index."""
    return next(iter(read(session, job, [index])), None)


def read(session: Session, job: Job, indices: Sequence[int]) -> list[Run]:
    """Read some runs of a job, in the given order. Indices that the job does not have are left out."""
    # Runs without rows first: a shard that stores its first chunk in between has both, and its rows count.
    missing = not_stored(session, job.key)
    rows = session.execute(select(Run).where(Run.job_key == job.key, Run.index.in_(indices))).scalars()
    known = {row.index: row for row in rows}
    firsts = [piece.first for piece in missing]
    for index in indices:
        at = bisect(firsts, index) - 1
        if index not in known and at >= 0 and index < missing[at].end:
            known[index] = Run(job_key=job.key, index=index, status=missing[at].status, epochs_done=0)
    return [known[index] for index in indices if index in known]


def list_runs(
    session: Session,
    job: Job,
    *,
    ranges: Ranges | None,
    status: str | None,
    sort: str,
    after: int,
    limit: int,
) -> list[Run]:
    """List at most ``limit`` runs.

    Args:
        session: A transaction.
        job: The job.
        ranges: Only runs of these ranges of indices.
        status: Only runs with this status.
        sort: ``index``, or a loss, the best first; runs without one follow by index.
        after: For ``index`` the first index; for a loss the number of runs to skip.
        limit: Number of runs.
    """
    if sort == "index":
        missing = _missing(session, job, ranges, status, after, limit).tolist()
        query = select(Run.index).where(*_chosen(job, ranges, status), Run.index >= after).order_by(Run.index)
        stored = session.execute(query.limit(limit)).scalars()
        return read(session, job, sorted({*missing, *stored})[:limit])
    loss = getattr(Run, sort)
    with_loss = [*_chosen(job, ranges, status), loss.is_not(None)]
    query = select(Run.index).where(*with_loss).order_by(*_best_first(job, sort)).offset(after).limit(limit)
    page = list(session.execute(query).scalars())
    if len(page) < limit:
        skipped = 0
        if not page and after:
            total = session.execute(select(func.count()).select_from(Run).where(*with_loss)).scalar_one()
            skipped = max(0, after - total)
        page += _without(session, job, sort, ranges, status)[skipped : skipped + limit - len(page)].tolist()
    return read(session, job, page)


def run_indices(session: Session, job: Job, *, ranges: Ranges | None, status: str | None, sort: str) -> Indices:
    """List the indices of all runs, in the order of ``list_runs``: 8 bytes per run."""
    chosen = _chosen(job, ranges, status)
    if sort == "index":
        missing = _missing(session, job, ranges, status)
        return np.union1d(missing, _indices(session.execute(select(Run.index).where(*chosen)).scalars()))
    missing = _without(session, job, sort, ranges, status)
    query = select(Run.index).where(*chosen, getattr(Run, sort).is_not(None)).order_by(*_best_first(job, sort))
    with_loss = _indices(session.execute(query).scalars())
    return np.concatenate([with_loss, np.setdiff1d(missing, with_loss)])


def _best_first(job: Job, sort: str) -> list[ColumnElement[Any]]:
    """Order by a loss: the smallest first, or with `maximize` the largest of the runs that have not diverged."""
    loss = getattr(Run, sort)
    if maximizes(job):
        return [Run.status == RunStatus.DIVERGED, loss.desc(), Run.index.asc()]
    return [loss.asc(), Run.index.asc()]


def _without(session: Session, job: Job, loss: str, ranges: Ranges | None, status: str | None) -> Indices:
    """List the runs without a loss, stored or not, by index."""
    missing = _missing(session, job, ranges, status)
    query = select(Run.index).where(*_chosen(job, ranges, status), getattr(Run, loss).is_(None))
    return np.union1d(missing, _indices(session.execute(query).scalars()))


def _missing(
    session: Session, job: Job, ranges: Ranges | None, status: str | None, first: int = 0, limit: int | None = None
) -> Indices:
    """List the runs without rows from an index on, by index; with a limit the first ones only."""
    pieces = [np.empty(0, dtype=np.int64)]
    for piece in not_stored(session, job.key):
        if status is None or piece.status == status:
            for begin, end in ranges or [(0, job.runs_total)]:
                begin = max(piece.first, begin, first)
                end = min(piece.end, end)
                pieces.append(np.arange(begin, end if limit is None else min(end, begin + limit)))
    return np.unique(np.concatenate(pieces))[:limit]


def _chosen(job: Job, ranges: Ranges | None, status: str | None) -> list[ColumnElement[bool]]:
    chosen = [Run.job_key == job.key]
    if ranges is not None:
        chosen.append(or_(false(), *map(_inside, _repeated(ranges))))
    if status is not None:
        chosen.append(Run.status == status)
    return chosen


def _repeated(ranges: Ranges) -> Iterator[tuple[int, int, int, int]]:
    """Join ranges of equal length at equal distances: first, end of the first, distance, end of the last.

    A label of a job that decides has a range for each seed, and SQLite allows no condition of 1,000 parts.
    """
    at = 0
    while at < len(ranges):
        first, end = ranges[at]
        step = ranges[at + 1][0] - first if at + 1 < len(ranges) else 1
        last = at
        while last + 1 < len(ranges) and ranges[last + 1] == (ranges[last][0] + step, ranges[last][1] + step):
            last += 1
        yield first, end, step, ranges[last][1]
        at = last + 1


def _inside(repeated: tuple[int, int, int, int]) -> ColumnElement[bool]:
    first, end, step, last = repeated
    whole = (Run.index >= first) & (Run.index < last)
    return whole if last == end else whole & ((Run.index - first) % step < end - first)


def _indices(found: Iterable[int]) -> Indices:
    return np.fromiter(found, dtype=np.int64)
