"""Selection of queued shards that need a message to the workers. No function commits.

The state of a shard is in its row: a message that is sent twice changes nothing, and a lost one is sent again.
"""

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from service.database.statements import seconds_from_now
from service.database.states import ShardStatus
from service.database.tables import Shard


def queues_to_publish(session: Session, *, age_seconds: float) -> list[str]:
    """Name the queues that have shards whose last message is older than this, or was never sent."""
    return sorted(session.execute(select(Shard.queue).where(*_need_message(age_seconds)).distinct()).scalars())


def to_publish(session: Session, queue: str, *, age_seconds: float, limit: int = 1_000) -> list[tuple[int, int]]:
    """Select the queued shards whose last message is older than this, or was never sent, and mark them as sent."""
    chosen = session.execute(
        select(Shard.job_key, Shard.number)
        .where(Shard.queue == queue, *_need_message(age_seconds))
        .order_by(Shard.job_key, Shard.number)
        .limit(limit)
    ).all()
    for job_key, number in chosen:
        session.execute(
            update(Shard)
            .where(Shard.job_key == job_key, Shard.number == number)
            .values(published_at=seconds_from_now())
        )
    return [(job_key, number) for job_key, number in chosen]


def _need_message(age_seconds: float) -> tuple[ColumnElement[bool], ...]:
    """Write the conditions for queued shards without a message of at most this age."""
    is_old = Shard.published_at.is_(None) | (Shard.published_at < seconds_from_now(-age_seconds))
    return Shard.status == ShardStatus.QUEUED, is_old


def decline(session: Session, job_key: int, number: int) -> None:
    """Mark a queued shard as not sent, so that the sweep sends its message again; this worker is shutting down."""
    session.execute(
        update(Shard)
        .where(Shard.job_key == job_key, Shard.number == number, Shard.status == ShardStatus.QUEUED)
        .values(published_at=None)
    )
