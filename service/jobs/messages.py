"""Selection of queued shards that need a message to the workers. No function commits.

The row is the truth: a message that is sent twice changes nothing, and one that was lost is sent again.
"""

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from service.database.statements import seconds_from_now
from service.database.states import ShardStatus
from service.database.tables import Shard


def silent_queues(session: Session, *, silent_seconds: float) -> list[str]:
    """Name the queues of shards whose last message is older than this, or was never sent."""
    return sorted(session.execute(select(Shard.queue).where(*_unheard_of(silent_seconds)).distinct()).scalars())


def to_publish(session: Session, queue: str, *, silent_seconds: float, limit: int = 1_000) -> list[tuple[int, int]]:
    """Choose the queued shards whose last message is older than this, or was never sent, and mark them as sent."""
    chosen = session.execute(
        select(Shard.job_key, Shard.number)
        .where(Shard.queue == queue, *_unheard_of(silent_seconds))
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


def _unheard_of(silent_seconds: float) -> tuple[ColumnElement[bool], ...]:
    """Shards that wait, and nothing has been heard of them for so long."""
    is_silent = Shard.published_at.is_(None) | (Shard.published_at < seconds_from_now(-silent_seconds))
    return Shard.status == ShardStatus.QUEUED, is_silent


def decline(session: Session, job_key: int, number: int) -> None:
    """Let the sweep send the message of a queued shard again: whoever got the last one leaves."""
    session.execute(
        update(Shard)
        .where(Shard.job_key == job_key, Shard.number == number, Shard.status == ShardStatus.QUEUED)
        .values(published_at=None)
    )
