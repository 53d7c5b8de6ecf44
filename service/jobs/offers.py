"""Kinds that live workers offer from installed classes. No function commits."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from service.database.offers import OfferingWorker
from service.database.statements import seconds_from_now, upsert
from service.spec.offers import Offer

# A worker renews its row this often, and is lost after twice as long again.
RENEWAL_SECONDS = 5.0
LOST_SECONDS = 3 * RENEWAL_SECONDS
_IS_LOST = OfferingWorker.seen_at < seconds_from_now(-LOST_SECONDS)
# Whether ``remove_lost`` has something to do.
HAS_LOST = exists(select(OfferingWorker.id).where(_IS_LOST))


def renew(session: Session, worker_id: str, kinds: Mapping[str, Offer]) -> None:
    """Store that a worker lives, and what it offers."""
    offered = {kind: offer.model_dump(mode="json") for kind, offer in kinds.items()}
    upsert(session, OfferingWorker, [{"id": worker_id, "seen_at": seconds_from_now(), "kinds": offered}], key=("id",))


def withdraw(session: Session, worker_id: str) -> None:
    """Remove a worker that ends."""
    session.execute(delete(OfferingWorker).where(OfferingWorker.id == worker_id))


def remove_lost(session: Session) -> None:
    """Remove the workers that have not renewed their rows."""
    session.execute(delete(OfferingWorker).where(_IS_LOST))


def live(session: Session) -> dict[str, Offer]:
    """Give what live workers offer, by kind; where they differ, what the worker seen first offers."""
    found: dict[str, Offer] = {}
    for kinds in _of_workers(session):
        for kind, offer in kinds.items():
            found.setdefault(kind, Offer.model_validate(offer))
    return dict(sorted(found.items()))


def sets(session: Session) -> list[set[str]]:
    """Give the names of the kinds of each live worker."""
    return [set(kinds) for kinds in _of_workers(session)]


def _of_workers(session: Session) -> list[dict[str, Any]]:
    alive = OfferingWorker.seen_at >= seconds_from_now(-LOST_SECONDS)
    return list(session.execute(select(OfferingWorker.kinds).where(alive).order_by(OfferingWorker.id)).scalars())
