"""Sessions of browsers: a random token stands for a key until sign-out, expiry or revocation. No function commits.

The browser keeps the token in a cookie and never the key. As of keys, only the SHA-256 of a token is stored.
"""

import hmac
import secrets

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from service.database.accounts import BrowserSession
from service.database.statements import seconds_from_now
from service.jobs import owners
from service.jobs.owners import ID_DIGITS, Caller

_RANDOM_BYTES = 32
# A further sign-in ends the oldest session of the key, so that no key fills the table.
MAX_PER_KEY = 100
# Expired sessions that one sweep deletes.
_MAX_REMOVED = 1_000
_HAS_EXPIRED = BrowserSession.expires_at <= seconds_from_now()
# Whether ``remove_expired`` has something to do.
HAS_EXPIRED = exists(select(BrowserSession.id).where(_HAS_EXPIRED))


def create(session: Session, caller: Caller, *, seconds: float) -> str:
    """Begin a session of a caller that ends after this time, and give its token, which is not stored."""
    _end_oldest(session, caller)
    token = secrets.token_urlsafe(_RANDOM_BYTES)
    sha256 = owners.sha256_of(token)
    session.add(
        BrowserSession(
            id=sha256[:ID_DIGITS],
            sha256=sha256,
            owner=caller.id,
            created_at=seconds_from_now(),
            expires_at=seconds_from_now(seconds),
        )
    )
    return token


def find(session: Session, token: str, *, setting: Caller | None) -> Caller | None:
    """Find the caller of a session; None if the session has ended or its key was revoked.

    ``setting`` is the caller of the setting ``api_key``, which has no row. If the setting changes, its sessions end.
    """
    sha256 = owners.sha256_of(token)
    query = select(BrowserSession).where(
        BrowserSession.id == sha256[:ID_DIGITS], BrowserSession.expires_at > seconds_from_now()
    )
    row = session.execute(query).scalar_one_or_none()
    # In constant time, as for keys.
    if row is None or not hmac.compare_digest(row.sha256, sha256):
        return None
    if setting is not None and row.owner == setting.id:
        return setting
    return owners.find_by_id(session, row.owner)


def end(session: Session, token: str) -> None:
    """End a session, if there is one with this token."""
    session.execute(delete(BrowserSession).where(BrowserSession.sha256 == owners.sha256_of(token)))


def remove_expired(session: Session) -> None:
    """Delete at most 1,000 sessions that have expired, without those that another process is deleting."""
    expired = select(BrowserSession.id).where(_HAS_EXPIRED).limit(_MAX_REMOVED)
    _remove(session, list(session.execute(expired.with_for_update(skip_locked=True)).scalars()))


def _end_oldest(session: Session, caller: Caller) -> None:
    mine = select(BrowserSession.id).where(BrowserSession.owner == caller.id)
    oldest = mine.order_by(BrowserSession.expires_at.desc(), BrowserSession.id).offset(MAX_PER_KEY - 1)
    _remove(session, list(session.execute(oldest.with_for_update(skip_locked=True)).scalars()))


def _remove(session: Session, ids: list[str]) -> None:
    if ids:
        session.execute(delete(BrowserSession).where(BrowserSession.id.in_(ids)))
