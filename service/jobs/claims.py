"""Claim of the shard whose turn it is. It does not commit."""

from typing import Any

from sqlalchemy.orm import Session

from service.jobs import shards, turns
from service.jobs.shards import Claim


def claim_next(session: Session, queue: str, **options: Any) -> Claim | None:
    """Claim the shard of a queue whose turn it is, with the options of ``shards.claim``. Return None if none is queued.

    Shards that need other installed classes than those in ``offers`` are passed over.

    While concurrent claims lock the jobs of some owners, the other owners come first. If all are locked, the claim
    waits for the first job, once; then it gives up, and the sweep sends another message.
    """
    kinds = options.get("offers") or {}
    waiting = turns.next_shards(session, queue, kinds)
    if (claim := _first(session, waiting, options)) is not None or not waiting:
        return claim
    if (claim := shards.claim(session, *waiting[0], **options)) is not None:
        return claim
    # The shard has been claimed during the wait. Its job is locked now, and may have another one.
    return _first(session, turns.next_shards(session, queue, kinds), options)


def _first(session: Session, waiting: list[tuple[int, int]], options: dict[str, Any]) -> Claim | None:
    """Claim the first shard whose job is not locked."""
    for job_key, number in waiting:
        if (claim := shards.claim(session, job_key, number, waits=False, **options)) is not None:
            return claim
    return None
