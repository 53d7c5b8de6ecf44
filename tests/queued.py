"""Jobs written into the tables without an API: created, leases expired, rows counted, statuses of runs read."""

import itertools
from typing import Any

import numpy as np
from sqlalchemy import func, select, update

from service.database.connection import Database
from service.database.statements import seconds_from_now
from service.database.tables import Job, Shard
from service.jobs import lifecycle, removal, run_states
from service.spec.job import JobSpec
from service.spec.price import price

SPEC = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.05, "momentum": [0.0, 0.5, 0.9]}],
    "epochs": 4,
}


def create(database: Database, **changes: Any) -> int:
    spec = JobSpec.model_validate({**SPEC, **changes})
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, price(spec))
    return job.key


def expire(database: Database) -> None:
    """Set the end of the lease of every running shard to one second ago."""
    with database.transaction() as session:
        session.execute(update(Shard).where(Shard.lease_until.is_not(None)).values(lease_until=seconds_from_now(-1)))


def count(database: Database, table: Any) -> int:
    with database.snapshot() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def remove_rows(database: Database, limit: int = 10_000) -> int:
    """Remove the rows of all deleted jobs, and give the number of chunks."""
    for number in itertools.count():
        with database.transaction() as session:
            if removal.step(session, limit) is None:
                return number
    raise AssertionError


def statuses(database: Database, job_key: int) -> list[str]:
    """Give the statuses of all runs of a job, by index."""
    with database.snapshot() as session:
        job = session.get_one(Job, job_key)
        return [str(run.status) for run in run_states.read(session, job, range(job.runs_total))]


def not_measured(num_runs: int) -> dict[str, Any]:
    """Give the arguments of Outcomes that are unknown for runs without test data and without rows."""
    unknown = {name: np.full(num_runs, np.nan) for name in ("test_loss_R", "test_accuracy_R", "loss_area_R")}
    return {**unknown, "history_digest_R": np.zeros(num_runs, dtype=np.uint64)}
