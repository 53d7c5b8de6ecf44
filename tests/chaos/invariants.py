"""What must be true of a job after whatever happened: nothing lost, doubled, missing, gone back, or different.

Everything here is plain data, so that each kind of violation can be shown to be seen.
"""

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from service.database.connection import Database
from service.database.tables import Job, Metric, Run, Shard

Row = tuple[Any, ...]
# A job may skip states, and may not come back to an earlier one; the ends exclude each other.
ORDER = {"queued": 0, "running": 1, "cancelling": 2, "completed": 3, "failed": 3, "cancelled": 3}


@dataclass(frozen=True)
class Record:
    """What a job has left: rows (run, epoch, numbers as bits), runs (index, status, epochs done, …), its status."""

    status: str
    rows: Sequence[Row]
    runs: Sequence[Row]


@dataclass(frozen=True)
class Sighting:
    """A job as somebody who looked again and again saw it change."""

    status: str
    epochs_done: int


def violations(expected: Record, found: Record | None, sightings: Sequence[Sighting]) -> list[str]:
    """Say in a sentence each what is wrong with a job; ``expected`` is what an undisturbed worker makes of its spec."""
    if found is None:
        return ["lost: the job is not there"]
    if ORDER[found.status] < 3:
        return [f"lost: the job never ended, it is {found.status}"]
    wrong = []
    if found.status != expected.status:
        wrong.append(f"lost: the job is {found.status} and not {expected.status}")
    counts = Counter(row[:2] for row in found.rows)
    doubled = sorted(place for place, count in counts.items() if count > 1)
    wanted, there = {row[:2]: row for row in expected.rows}, {row[:2]: row for row in found.rows}
    missing, extra = sorted(wanted.keys() - there.keys()), sorted(there.keys() - wanted.keys())
    different = [place for place in sorted(wanted.keys() & there.keys()) if wanted[place] != there[place]]
    places = {"doubled": doubled, "missing": missing, "nobody's": extra, "different": different}
    for what, found_places in places.items():
        if found_places:
            run, epoch = found_places[0]
            wrong.append(f"{what}: {len(found_places)} rows, the first is epoch {epoch} of run {run}")
    if list(expected.runs) != list(found.runs):
        index = next(at for at, pair in enumerate(_paired(expected.runs, found.runs)) if pair[0] != pair[1])
        wrong.append(f"different: the outcome of run {index}")
    return wrong + _gone_back(sightings)


def _gone_back(sightings: Sequence[Sighting]) -> list[str]:
    wrong = []
    for before, after in pairwise(sightings):
        ended = ORDER[before.status] == 3
        if ORDER[after.status] < ORDER[before.status] or (ended and after.status != before.status):
            wrong.append(f"gone back: from {before.status} to {after.status}")
        if after.epochs_done < before.epochs_done:
            wrong.append(f"gone back: from {before.epochs_done} epochs to {after.epochs_done}")
    return wrong


def _paired(left: Sequence[Row], right: Sequence[Row]) -> list[tuple[Row | None, Row | None]]:
    longest = max(len(left), len(right))
    return [(left[at] if at < len(left) else None, right[at] if at < len(right) else None) for at in range(longest)]


def record_of(database: Database, job_id: str) -> Record | None:
    """Read what a job has left, in the order of runs and epochs."""
    with database.snapshot() as session:
        job = session.execute(select(Job.key, Job.status).where(Job.id == job_id)).one_or_none()
        if job is None:
            return None
        metrics = [
            column for column in Metric.__table__.columns if column.name not in {"job_key", "run_index", "epoch"}
        ]
        rows = session.execute(
            select(Metric.run_index, Metric.epoch, *metrics)
            .where(Metric.job_key == job.key)
            .order_by(Metric.run_index, Metric.epoch)
        )
        columns = [column for column in Run.__table__.columns if column.name != "job_key"]
        runs = session.execute(select(*columns).where(Run.job_key == job.key).order_by(Run.index))
        return Record(job.status, [_bits(row) for row in rows], [_bits(row) for row in runs])


def attempts_of(database: Database, job_id: str) -> tuple[int, int]:
    """Count the attempts at the shards of a job, and those that were lost."""
    with database.snapshot() as session:
        found = session.execute(
            select(Shard.attempt, Shard.lost).join(Job, Job.key == Shard.job_key).where(Job.id == job_id)
        ).all()
        return sum(row.attempt for row in found), sum(row.lost for row in found)


def _bits(row: Any) -> Row:
    """A row whose floating-point numbers are their bits: NaN equals itself, and −0.0 is not 0.0."""
    return tuple(struct.pack("<d", value) if isinstance(value, float) else value for value in row)
