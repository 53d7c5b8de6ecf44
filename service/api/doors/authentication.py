"""Authentication by keys and sessions. On the loopback address keys are optional until the first one is created.

A program sends its key in the header Authorization. A browser that is signed in sends the cookie of its session.
"""

import hmac
import ipaddress
import threading
import time
from dataclasses import dataclass
from functools import lru_cache

from service.database.connection import Database
from service.errors import Unauthorized
from service.jobs import browser_sessions, owners
from service.jobs.owners import ANYBODY, Caller
from service.settings import Settings

# Time for which a key or session is cached, because clients poll. One that was revoked or ended by another process is
# accepted for at most this long.
CACHE_SECONDS = 1.0
# Only valid ones are cached, so that guesses do not fill the memory.
_MAX_CACHED = 10_000

HOW_TO = "send `Authorization: Bearer <key>`; `ravine keys create --name NAME` makes a key"


@dataclass(frozen=True)
class Credentials:
    """What identifies the sender of a request: a key or the token of a session, and the address that received it.

    A key is used instead of a session if both are given.
    """

    key: str | None
    session: str | None
    server: str | None

    @property
    def secret(self) -> tuple[bool, str]:
        """Whether the secret is a key, and its hash.

        Raises:
            Unauthorized: There is neither a key nor a session.
        """
        secret = self.key or self.session
        if secret is None:
            raise Unauthorized(f"a key is needed: {HOW_TO}")
        return self.key is not None, owners.sha256_of(secret)


class Authentication:
    """Checks keys and sessions against the database and the setting ``api_key``, with a cache per process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        # Hashed, so that a memory dump holds no key but that of the setting, which the environment holds too.
        key = settings.api_key.get_secret_value() if settings.api_key else None
        self._setting = owners.sha256_of(key) if key else None
        self._setting_caller = owners.caller_of(key, is_admin=True) if key else None
        self._known: dict[tuple[bool, str], tuple[Caller, float]] = {}
        # Time until which it is cached that no key exists. Once a key existed, keys stay required.
        self._open_until = 0.0
        self._has_keys = self._setting is not None
        self._lock = threading.Lock()

    def caller(self, given: Credentials) -> Caller:
        """Identify the caller.

        Raises:
            Unauthorized: The key or session is missing or wrong, or no key exists and the server address is not
                loopback.
        """
        cached = self.cached_caller(given)
        if cached is not None:
            return cached
        return _anonymous(given.server) if self.is_open() else self._find(given)

    def cached_caller(self, given: Credentials) -> Caller | None:
        """Identify the caller without reading the database; None if that is not possible.

        Raises:
            Unauthorized: As in ``caller``.
        """
        now = time.monotonic()
        if not self._has_keys:
            return _anonymous(given.server) if now < self._open_until else None
        is_key, sha256 = given.secret
        if is_key and self._setting is not None and hmac.compare_digest(sha256, self._setting):
            return self._setting_caller
        caller, until = self._known.get((is_key, sha256), (ANYBODY, 0.0))
        return caller if now < until else None

    def forget(self, token: str) -> None:
        """Remove a session that has ended from the cache."""
        with self._lock:
            self._known.pop((False, owners.sha256_of(token)), None)

    def is_open(self) -> bool:
        """Whether no key is required, because none was ever created."""
        if self._has_keys:
            return False
        if time.monotonic() < self._open_until:
            return True
        with self._database.snapshot() as session:
            self._has_keys = owners.exist(session)
        self._open_until = time.monotonic() + CACHE_SECONDS
        return not self._has_keys

    def _find(self, given: Credentials) -> Caller:
        """Find the caller of a key or session in the database, and cache it."""
        secret = given.secret
        with self._database.snapshot() as session:
            if given.key is not None:
                found = owners.find(session, given.key)
            else:
                found = browser_sessions.find(session, given.session or "", setting=self._setting_caller)
        with self._lock:
            self._known.pop(secret, None)
            if found is not None:
                if len(self._known) >= _MAX_CACHED:
                    self._known.clear()
                self._known[secret] = (found, time.monotonic() + CACHE_SECONDS)
        if found is None:
            what = (
                "this key is not known here or was revoked" if given.key else "this browser is not signed in any more"
            )
            raise Unauthorized(f"{what}: {HOW_TO}")
        return found


def _anonymous(server: str | None) -> Caller:
    if not is_loopback(server):
        raise Unauthorized(f"this API has no keys yet and answers on the loopback address only: {HOW_TO}")
    return ANYBODY


def bearer_key(authorization: str | None) -> str | None:
    """Read the key in the header Authorization; None if it has none, or another scheme, such as that of a proxy."""
    scheme, _, key = (authorization or "").strip().partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


@lru_cache(maxsize=256)
def is_loopback(host: str | None) -> bool:
    """Whether an address is reachable from this machine only: a loopback address, or a Unix socket (None)."""
    if host is None or host.startswith("/"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
