"""API keys and their owners. A key is shown once and stored as a hash. No function commits.

A key has 256 random bits, so it cannot be recovered from its plain SHA-256. The slow, salted hashes that passwords need
would cost every request about 0.1 s.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from service.database.accounts import ApiKey
from service.errors import Conflict, NotFound

_RANDOM_BYTES = 32
# Digits of the hash that are the id of the key: 48 bits, from which the key cannot be recovered.
ID_DIGITS = 12


@dataclass(frozen=True)
class Caller:
    """The sender of a request: the id of a key, which owns the jobs created with it. Admins see all jobs."""

    id: str
    is_admin: bool


# The caller while no key is required: on the loopback address until the first key is created.
ANYBODY = Caller("", is_admin=True)


def caller_of(key: str, *, is_admin: bool) -> Caller:
    """Give the caller that a key identifies."""
    return Caller(sha256_of(key)[:ID_DIGITS], is_admin)


def create(session: Session, name: str, *, is_admin: bool = False) -> tuple[ApiKey, str]:
    """Create a key, and give its row and the key itself, which is not stored.

    Raises:
        Conflict: A key has this name. Revoked keys keep their names, because they keep their jobs.
    """
    if session.execute(select(ApiKey.id).where(ApiKey.name == name)).first():
        raise Conflict(f"a key named {name!r} exists already, valid or revoked: choose another name")
    key = f"ravine_{secrets.token_urlsafe(_RANDOM_BYTES)}"
    sha256 = sha256_of(key)
    row = ApiKey(id=sha256[:ID_DIGITS], name=name, sha256=sha256, is_admin=is_admin, created_at=datetime.now(UTC))
    session.add(row)
    session.flush()
    return row, key


def listed(session: Session) -> list[ApiKey]:
    """List all keys, oldest first, revoked ones included."""
    return list(session.execute(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)).scalars())


def revoke(session: Session, name_or_id: str) -> ApiKey:
    """Revoke a key; its jobs stay.

    Raises:
        NotFound: No valid key has this name or id.
    """
    named = or_(ApiKey.name == name_or_id, ApiKey.id == name_or_id)
    row = session.execute(select(ApiKey).where(named, ApiKey.revoked_at.is_(None))).scalars().first()
    if row is None:
        raise NotFound(f"no valid key has the name or id {name_or_id!r}: see `ravine keys list`")
    session.execute(update(ApiKey).where(ApiKey.id == row.id).values(revoked_at=datetime.now(UTC)))
    return row


def exist(session: Session) -> bool:
    """Whether a key was ever created. Keys stay required after the last one is revoked."""
    return session.execute(select(ApiKey.id).limit(1)).first() is not None


def find(session: Session, key: str) -> Caller | None:
    """Find the caller of a key; None if the key is unknown or revoked."""
    sha256 = sha256_of(key)
    row = session.get(ApiKey, sha256[:ID_DIGITS])
    # In constant time, so that the duration of a request does not depend on the rest of the hash.
    if row is None or not hmac.compare_digest(row.sha256, sha256) or row.revoked_at is not None:
        return None
    return Caller(row.id, row.is_admin)


def find_by_id(session: Session, key_id: str) -> Caller | None:
    """Find the caller of the key with an id; None if it is unknown or revoked."""
    row = session.get(ApiKey, key_id)
    return None if row is None or row.revoked_at is not None else Caller(row.id, row.is_admin)


def name_of(session: Session, key_id: str) -> str | None:
    """Give the name of a key; None for the key of the setting ``api_key``, which has none."""
    return session.execute(select(ApiKey.name).where(ApiKey.id == key_id)).scalar()


def sha256_of(key: str) -> str:
    """Give the SHA-256 of a key, in hexadecimal; only this is stored."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
