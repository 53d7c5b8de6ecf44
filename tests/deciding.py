"""Jobs that decide, written without an API and trained in this process."""

from typing import Any

from sqlalchemy import select

from service.database.connection import Database
from service.database.looks import Look
from service.database.states import ShardStatus
from service.database.tables import Job, Shard
from service.settings import Settings
from tests.queued import create
from worker.runner import train_shard

# A noisy parabola: each label ends at a loss that its seed draws.
NOISY: dict[str, Any] = {
    "problem": {"kind": "quadratic", "eigenvalues": [1.0, 4.0], "start": [1.0, 1.0], "noise": 0.5},
    "optimizers": [
        {"label": "slow", "kind": "sgd", "lr": 0.02},
        {"label": "fast", "kind": "sgd", "lr": 0.2},
    ],
    "epochs": 12,
    "record_every": 6,
    "decide": {"batch": 8, "max_seeds": 100},
}
# Its labels differ by much less than what the seeds draw, so that so few seeds do not decide.
CLOSE: dict[str, Any] = {
    **NOISY,
    "problem": {"kind": "quadratic", "eigenvalues": [1.0], "start": [0.5], "noise": 1.0},
    "optimizers": [{"label": "a", "kind": "sgd", "lr": 0.5}, {"label": "b", "kind": "rmsprop", "lr": 0.15}],
    "decide": {"batch": 8, "max_seeds": 20, "margin": 1e-9},
}
# Eight seeds choose one of three rates for each label.
TUNED: dict[str, Any] = {
    **NOISY,
    "optimizers": [
        {"label": "slow", "kind": "sgd", "lr": [0.001, 0.02, 3.0]},
        {"label": "fast", "kind": "sgd", "lr": [0.002, 3.0, 0.2]},
    ],
}


def post(database: Database, spec: dict[str, Any], **changes: Any) -> int:
    """Create a job, and give its key."""
    return create(database, **{**spec, **changes})


def train(database: Database, key: int, most: int = 1_000, settings: Settings | None = None) -> int:
    """Train queued shards of a job in the order of their numbers, at most this many, and give their number."""
    queued = select(Shard.number).where(Shard.job_key == key, Shard.status == ShardStatus.QUEUED).order_by(Shard.number)
    for number in range(most):
        with database.snapshot() as session:
            shard = session.execute(queued.limit(1)).scalar_one_or_none()
        if shard is None:
            return number
        train_shard(database, settings or Settings(), key, shard)
    return most


def job_of(database: Database, key: int) -> Job:
    with database.snapshot() as session:
        return session.get_one(Job, key)


def looks_of(database: Database, key: int) -> list[dict[str, Any]]:
    """List the decisions of all looks."""
    with database.snapshot() as session:
        found = session.execute(select(Look.decision).where(Look.job_key == key).order_by(Look.number))
        return list(found.scalars())
