"""Turns: which queued shard a worker trains next. No function commits.

Owners take turns: first the one with the fewest running shards in the queue, then the one served least recently. The
jobs of an owner take turns by portions (division.py), then by age: a job of up to 8 shards is trained before later
ones, and a larger one lets them pass after 8, 16, 32, … shards.

A worker sees the shards whose kinds of optimizer it has, and no others: neither as the next one, nor as a reason to end
a turn.

The cost depends on the number of owners that wait, not on the number of their shards: every step is one search in an
index. The statements are built once, because building one takes longer than running it.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import CTE, ScalarSelect, Select, and_, bindparam, func, select, update
from sqlalchemy.orm import Session

from service.database.accounts import Turn
from service.database.statements import seconds_from_now, upsert
from service.database.tables import SHARD_IS_QUEUED, SHARD_IS_RUNNING, Shard

_QUEUE = bindparam("in_queue", type_=Shard.queue.type)
_OWNER = bindparam("of_owner", type_=Shard.owner.type)
_KINDS = bindparam("of_kinds", type_=Shard.kinds.type)
# The kinds of a worker without installed classes.
NONE: frozenset[str] = frozenset()


def next_shards(session: Session, queue: str, kinds: Collection[str] = NONE) -> list[tuple[int, int]]:
    """Give the next shard (job key, number) of each owner that waits; the owner whose turn it is comes first.

    Args:
        session: The session.
        queue: The queue.
        kinds: The kinds of installed classes that the worker has.
    """
    found = [row for needed in _needed(session, queue, kinds) for row in session.execute(_NEXT, needed).all()]
    if not kinds:
        return [(row.job_key, row.number) for row in found]
    # The rows of several sets of kinds: of each owner the first one, owners in the order of the statement.
    first: dict[str, Any] = {}
    for row in sorted(found, key=lambda row: (row.portion, row.job_key, row.number)):
        first.setdefault(row.owner, row)
    ordered = sorted(
        first.values(), key=lambda row: (row.running, row.served_at is not None, row.served_at or 0, row.job_key)
    )
    return [(row.job_key, row.number) for row in ordered]


def anybody_waits(session: Session, queue: str, kinds: Collection[str] = NONE) -> bool:
    """Whether a shard is queued that a worker with these kinds can train."""
    return any(session.execute(_QUEUED, needed).first() is not None for needed in _needed(session, queue, kinds))


def is_over(session: Session, queue: str, owner: str, kinds: Collection[str] = NONE) -> bool:
    """Whether the turn of an owner that trains is over: another one with fewer running shards waits in its queue."""
    return any(
        session.execute(_WITH_FEWER, {**needed, "of_owner": owner}).first() is not None
        for needed in _needed(session, queue, kinds)
    )


def waiting_kinds(session: Session, queue: str) -> list[str]:
    """List the sets of kinds that queued shards need, besides the empty one."""
    found: list[str | None] = list(session.execute(_SETS, {"in_queue": queue}).scalars())
    return [one for one in found if one is not None]


def _needed(session: Session, queue: str, kinds: Collection[str]) -> list[dict[str, str]]:
    """Give the values of the statements: one for each set of kinds of queued shards that the worker has."""
    sets = [""]
    if kinds:
        sets += [found for found in waiting_kinds(session, queue) if set(found.split(",")) <= set(kinds)]
    return [{"in_queue": queue, "of_kinds": found} for found in sets]


def serve(session: Session, queue: str, owner: str) -> None:
    """Note that an owner is served now. Last in a transaction, because other claims of the owner wait for its end."""
    changed = session.execute(_SERVED, {"in_queue": queue, "of_owner": owner})
    if changed.rowcount == 0:  # type: ignore[attr-defined]
        row = {"queue": queue, "owner": owner, "served_at": seconds_from_now()}
        upsert(session, Turn, [row], key=("queue", "owner"))


def _waiting_owners() -> CTE:
    """List the owners with queued shards, each found by one search from the one before it; the last row is NULL."""
    queued = select(func.min(Shard.owner).label("owner")).where(*_WAITS)
    owners = queued.cte("owners", recursive=True)
    after = queued.where(Shard.owner > owners.c.owner).scalar_subquery()
    return owners.union_all(select(after).where(owners.c.owner.is_not(None)))


def _num_running(owner: Any) -> ScalarSelect[int]:
    running = select(func.count()).select_from(Shard)
    return running.where(SHARD_IS_RUNNING, Shard.queue == _QUEUE, Shard.owner == owner).scalar_subquery()


def _next() -> Select[Any]:
    owners = _waiting_owners()
    owner = owners.c.owner
    of_owner = select(Shard.job_key).where(*_WAITS, Shard.owner == owner)
    first = of_owner.order_by(Shard.portion, Shard.job_key, Shard.number).limit(1)
    job_key = first.scalar_subquery()
    number = first.with_only_columns(Shard.number).scalar_subquery()
    portion = first.with_only_columns(Shard.portion).scalar_subquery()
    running = _num_running(owner).label("running")
    return (
        select(
            owner.label("owner"),
            job_key.label("job_key"),
            number.label("number"),
            portion.label("portion"),
            running,
            Turn.served_at.label("served_at"),
        )
        .select_from(owners)
        .outerjoin(Turn, and_(Turn.queue == _QUEUE, Turn.owner == owner))
        .where(owner.is_not(None))
        .order_by(running, Turn.served_at.is_not(None), Turn.served_at, job_key)
    )


def _with_fewer() -> Select[tuple[str]]:
    owner = _waiting_owners().c.owner
    return select(owner).where(owner.is_not(None), _num_running(owner) < _num_running(_OWNER)).limit(1)


def _sets() -> Select[Any]:
    """List the sets of kinds of queued shards, each found by one search from the one before it; the last is NULL."""
    queued = select(func.min(Shard.kinds).label("kinds")).where(SHARD_IS_QUEUED, Shard.queue == _QUEUE)
    sets = queued.where(Shard.kinds > "").cte("sets", recursive=True)
    after = queued.where(Shard.kinds > sets.c.kinds).scalar_subquery()
    return select(sets.union_all(select(after).where(sets.c.kinds.is_not(None))).c.kinds)


_WAITS = SHARD_IS_QUEUED, Shard.queue == _QUEUE, Shard.kinds == _KINDS
_NEXT = _next()
_QUEUED = select(Shard.number).where(*_WAITS).limit(1)
_SETS = _sets()
_WITH_FEWER = _with_fewer()
_IS_OF_OWNER = Turn.queue == _QUEUE, Turn.owner == _OWNER
_SERVED = update(Turn.metadata.tables["turns"]).where(*_IS_OF_OWNER).values(served_at=seconds_from_now())
