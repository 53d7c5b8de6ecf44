"""Jobs created directly in the database, without an API; expiry of leases, and counts of rows."""

from typing import Any

from sqlalchemy import func, select, update

from service.database.connection import Database
from service.database.statements import seconds_from_now
from service.database.tables import Shard
from service.jobs import lifecycle
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
