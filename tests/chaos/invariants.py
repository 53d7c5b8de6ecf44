"""Invariants of a job after faults: nothing is lost, duplicated, missing, different, or goes back.

The functions take plain data, so that tests can check that each kind of violation is detected.
"""

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from service.database.connection import Database
from service.database.looks import Look
from service.database.metric_rows import Metric
from service.database.tables import Job, Run, Shard

Row = tuple[Any, ...]
# A job may skip states, but must not return to an earlier one or change its final one.
ORDER = {"queued": 0, "running": 1, "cancelling": 2, "completed": 3, "failed": 3, "cancelled": 3}


@dataclass(frozen=True)
class Record:
    """The stored result of a job: rows (run, epoch, numbers as bits), runs (index, status, epochs done, …), status.

    ``decisions`` are those of the looks of a job that decides.
    """

    status: str
    rows: Sequence[Row]
    runs: Sequence[Row]
    decisions: Sequence[Any] = ()


@dataclass(frozen=True)
class Sighting:
    """A state of a job as seen by a poll."""

    status: str
    epochs_done: int


def violations(expected: Record, found: Record | None, sightings: Sequence[Sighting]) -> list[str]:
    """List the violations of a job as sentences; ``expected`` is the record of an undisturbed worker."""
    if found is None:
        return ["lost: the job does not exist"]
    if ORDER[found.status] < 3:
        return [f"lost: the job never ended, it is {found.status}"]
    wrong = []
    if found.status != expected.status:
        wrong.append(f"lost: the job is {found.status} and not {expected.status}")
    counts = Counter(row[:2] for row in found.rows)
    doubled = sorted(place for place, count in counts.items() if count > 1)
    correct, stored = {row[:2]: row for row in expected.rows}, {row[:2]: row for row in found.rows}
    missing, extra = sorted(correct.keys() - stored.keys()), sorted(stored.keys() - correct.keys())
    different = [place for place in sorted(correct.keys() & stored.keys()) if correct[place] != stored[place]]
    places = {"doubled": doubled, "missing": missing, "unexpected": extra, "different": different}
    for what, found_places in places.items():
        if found_places:
            run, epoch = found_places[0]
            wrong.append(f"{what}: {len(found_places)} rows, the first is epoch {epoch} of run {run}")
    if list(expected.runs) != list(found.runs):
        index = next(at for at, pair in enumerate(_paired(expected.runs, found.runs)) if pair[0] != pair[1])
        wrong.append(f"different: the outcome of run {index}")
    if list(expected.decisions) != list(found.decisions):
        looks = len(expected.decisions), len(found.decisions)
        wrong.append(f"different: the decisions of {looks[0]} looks, of which {looks[1]} are stored")
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
    """Read the stored result of a job, in the order of runs and epochs."""
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
        looks = session.execute(select(Look.decision).where(Look.job_key == job.key).order_by(Look.number)).scalars()
        return Record(job.status, [_bits(row) for row in rows], [_bits(row) for row in runs], list(looks))


def shards_of(database: Database, job_id: str) -> list[int]:
    """Count the attempts at each shard of a job."""
    with database.snapshot() as session:
        counted = select(Shard.attempt).join(Job, Job.key == Shard.job_key).where(Job.id == job_id)
        return list(session.execute(counted).scalars())


def _bits(row: Any) -> Row:
    """A row with floating-point numbers as their bits, so that NaN equals itself, and −0.0 differs from 0.0."""
    return tuple(struct.pack("<d", value) if isinstance(value, float) else value for value in row)
