"""Turns: which queued shard a worker trains next. No function commits.

Owners take turns: first the one with the fewest running shards in the queue, then the one served least recently. The
jobs of an owner take turns by portions (division.py), then by age: a job of up to 8 shards is trained before later
ones, and a larger one lets them pass after 8, 16, 32, … shards.

The cost depends on the number of owners that wait, not on the number of their shards: every step is one search in an
index. The statements are built once, because building one takes longer than running it.
"""

from typing import Any

from sqlalchemy import CTE, ScalarSelect, Select, and_, bindparam, func, select, update
from sqlalchemy.orm import Session

from service.database.accounts import Turn
from service.database.statements import seconds_from_now, upsert
from service.database.tables import SHARD_IS_QUEUED, SHARD_IS_RUNNING, Shard

_QUEUE = bindparam("in_queue", type_=Shard.queue.type)
_OWNER = bindparam("of_owner", type_=Shard.owner.type)


def next_shards(session: Session, queue: str) -> list[tuple[int, int]]:
    """Give the next shard (job key, number) of each owner that waits; the owner whose turn it is comes first."""
    return [(found.job_key, found.number) for found in session.execute(_NEXT, {"in_queue": queue})]


def anybody_waits(session: Session, queue: str) -> bool:
    """Whether a shard is queued."""
    return session.execute(_QUEUED, {"in_queue": queue}).first() is not None


def is_over(session: Session, queue: str, owner: str) -> bool:
    """Whether the turn of an owner that trains is over: another one with fewer running shards waits in its queue."""
    return session.execute(_WITH_FEWER, {"in_queue": queue, "of_owner": owner}).first() is not None


def serve(session: Session, queue: str, owner: str) -> None:
    """Note that an owner is served now. Last in a transaction, because other claims of the owner wait for its end."""
    changed = session.execute(_SERVED, {"in_queue": queue, "of_owner": owner})
    if changed.rowcount == 0:  # type: ignore[attr-defined]
        row = {"queue": queue, "owner": owner, "served_at": seconds_from_now()}
        upsert(session, Turn, [row], key=("queue", "owner"))


def _waiting_owners() -> CTE:
    """List the owners with queued shards, each found by one search from the one before it; the last row is NULL."""
    queued = select(func.min(Shard.owner).label("owner")).where(SHARD_IS_QUEUED, Shard.queue == _QUEUE)
    owners = queued.cte("owners", recursive=True)
    after = queued.where(Shard.owner > owners.c.owner).scalar_subquery()
    return owners.union_all(select(after).where(owners.c.owner.is_not(None)))


def _num_running(owner: Any) -> ScalarSelect[int]:
    running = select(func.count()).select_from(Shard)
    return running.where(SHARD_IS_RUNNING, Shard.queue == _QUEUE, Shard.owner == owner).scalar_subquery()


def _next() -> Select[Any]:
    owners = _waiting_owners()
    owner = owners.c.owner
    of_owner = select(Shard.job_key).where(SHARD_IS_QUEUED, Shard.queue == _QUEUE, Shard.owner == owner)
    first = of_owner.order_by(Shard.portion, Shard.job_key, Shard.number).limit(1)
    job_key = first.scalar_subquery()
    number = first.with_only_columns(Shard.number).scalar_subquery()
    return (
        select(job_key.label("job_key"), number.label("number"))
        .select_from(owners)
        .outerjoin(Turn, and_(Turn.queue == _QUEUE, Turn.owner == owner))
        .where(owner.is_not(None))
        .order_by(_num_running(owner), Turn.served_at.is_not(None), Turn.served_at, job_key)
    )


def _with_fewer() -> Select[tuple[str]]:
    owner = _waiting_owners().c.owner
    return select(owner).where(owner.is_not(None), _num_running(owner) < _num_running(_OWNER)).limit(1)


_NEXT = _next()
_QUEUED = select(Shard.number).where(SHARD_IS_QUEUED, Shard.queue == _QUEUE).limit(1)
_WITH_FEWER = _with_fewer()
_IS_OF_OWNER = Turn.queue == _QUEUE, Turn.owner == _OWNER
_SERVED = update(Turn.metadata.tables["turns"]).where(*_IS_OF_OWNER).values(served_at=seconds_from_now())
