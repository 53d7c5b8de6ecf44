"""Progress of jobs: the sum over their shards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from service.database.tables import Job, Shard
from service.errors import NotFound


@dataclass(frozen=True)
class Progress:
    """The sums over the shards of a job."""

    runs_ended: int = 0
    runs_diverged: int = 0
    epochs_done: int = 0
    run_epochs: int = 0


# The progress of a new job.
NO_PROGRESS = Progress()


def progress_of(session: Session, job_keys: list[int]) -> dict[int, Any]:
    """Add up the progress of jobs over their shards."""
    return {row.job_key: row for row in session.execute(_TOTALS, {"job_keys": job_keys})}


def progress_of_all(session: Session, jobs: Sequence[Job]) -> dict[int, Any]:
    """Add up the progress of jobs that were read before.

    Raises:
        NotFound: One of the jobs has been deleted since it was read.
    """
    totals = progress_of(session, [job.key for job in jobs])
    for job in jobs:
        if job.key not in totals:
            raise NotFound(f"job {job.id} was deleted")
    return totals


# Built once, because building it takes longer than running it.
_TOTALS = (
    select(
        Shard.job_key,
        func.sum(Shard.runs_ended).label("runs_ended"),
        func.sum(Shard.runs_diverged).label("runs_diverged"),
        func.sum(Shard.epochs_done).label("epochs_done"),
        func.sum(Shard.num_runs * Shard.epoch).label("run_epochs"),
    )
    .where(Shard.job_key.in_(bindparam("job_keys", expanding=True)))
    .group_by(Shard.job_key)
)
