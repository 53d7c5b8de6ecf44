"""Who may use the API: keys that are shown once and stored as hashes. No function commits.

A key is 256 random bits, so a plain SHA-256 of it cannot be guessed back: the slow, salted hashes that passwords need
protect what a person could have chosen, and would cost every request a tenth of a second here.
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
# Digits of the hash that find the row: 48 bits, which say nothing about a key of 256.
_ID_DIGITS = 12


@dataclass(frozen=True)
class Caller:
    """Who asks: the id of a key, which owns the jobs it makes. An admin sees everybody's."""

    id: str
    is_admin: bool


# Who asks where the API is open, which it is on the loopback address until there is a first key.
ANYBODY = Caller("", is_admin=True)


def caller_of(key: str, *, is_admin: bool) -> Caller:
    """Give the caller that a key stands for."""
    return Caller(sha256_of(key)[:_ID_DIGITS], is_admin)


def create(session: Session, name: str, *, is_admin: bool = False) -> tuple[ApiKey, str]:
    """Make a key; gives its row and the key itself, which nobody can show again.

    Raises:
        Conflict: There is a key of this name; also one that was revoked keeps its name, because it keeps its jobs.
    """
    if session.execute(select(ApiKey.id).where(ApiKey.name == name)).first():
        raise Conflict(f"there is a key named {name!r} already, in use or revoked: choose another name")
    key = f"ravine_{secrets.token_urlsafe(_RANDOM_BYTES)}"
    sha256 = sha256_of(key)
    row = ApiKey(id=sha256[:_ID_DIGITS], name=name, sha256=sha256, is_admin=is_admin, created_at=datetime.now(UTC))
    session.add(row)
    session.flush()
    return row, key


def listed(session: Session) -> list[ApiKey]:
    """List all keys, the oldest first, also those that were revoked."""
    return list(session.execute(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)).scalars())


def revoke(session: Session, name_or_id: str) -> ApiKey:
    """Let a key open nothing any more; its jobs stay.

    Raises:
        NotFound: No key in use has this name or id.
    """
    named = or_(ApiKey.name == name_or_id, ApiKey.id == name_or_id)
    row = session.execute(select(ApiKey).where(named, ApiKey.revoked_at.is_(None))).scalars().first()
    if row is None:
        raise NotFound(f"there is no key in use with the name or id {name_or_id!r}: see `ravine keys list`")
    session.execute(update(ApiKey).where(ApiKey.id == row.id).values(revoked_at=datetime.now(UTC)))
    return row


def exist(session: Session) -> bool:
    """Whether there ever was a key: revoking the last one must not open the door to everybody."""
    return session.execute(select(ApiKey.id).limit(1)).first() is not None


def find(session: Session, key: str) -> Caller | None:
    """Tell whose key it is; None where it is nobody's, or revoked."""
    sha256 = sha256_of(key)
    row = session.get(ApiKey, sha256[:_ID_DIGITS])
    # In constant time, so that the time of an answer tells nothing about the rest of the hash.
    if row is None or not hmac.compare_digest(row.sha256, sha256) or row.revoked_at is not None:
        return None
    return Caller(row.id, row.is_admin)


def sha256_of(key: str) -> str:
    """Give what is kept of a key: its SHA-256, in hexadecimal."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
