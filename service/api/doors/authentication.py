"""Authentication by bearer keys. On the loopback address keys are optional until the first one is created."""

import hmac
import ipaddress
import threading
import time

from service.database.connection import Database
from service.errors import Unauthorized
from service.jobs import owners
from service.jobs.owners import ANYBODY, Caller
from service.settings import Settings

# Time for which a key is cached, because clients poll. A revoked key is accepted for at most this long.
CACHE_SECONDS = 1.0
# Only valid keys are cached, so that guesses do not fill the memory.
_MAX_CACHED = 10_000

HOW_TO = "send `Authorization: Bearer <key>`; `ravine keys create --name NAME` makes a key"


class Authentication:
    """Checks keys against the database and the setting ``api_key``, with a cache per process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        # Hashed, so that a memory dump holds no key but that of the setting, which the environment holds too.
        self._setting = owners.sha256_of(settings.api_key.get_secret_value()) if settings.api_key else None
        self._known: dict[str, tuple[Caller, float]] = {}
        # Time until which it is cached that no key exists. Once a key existed, keys stay required.
        self._open_until = 0.0
        self._has_keys = self._setting is not None
        self._lock = threading.Lock()

    def caller(self, authorization: str | None, server: str | None) -> Caller:
        """Identify the caller by the header Authorization and the server address that the request was sent to.

        Raises:
            Unauthorized: The key is missing or wrong, or no key exists and the server address is not loopback.
        """
        cached = self.cached_caller(authorization, server)
        if cached is not None:
            return cached
        return _anonymous(server) if self.is_open() else self._find(_key_of(authorization))

    def cached_caller(self, authorization: str | None, server: str | None) -> Caller | None:
        """Identify the caller without reading the database; None if that is not possible.

        Raises:
            Unauthorized: As in ``caller``.
        """
        now = time.monotonic()
        if not self._has_keys:
            return _anonymous(server) if now < self._open_until else None
        key = _key_of(authorization)
        sha256 = owners.sha256_of(key)
        if self._setting is not None and hmac.compare_digest(sha256, self._setting):
            return owners.caller_of(key, is_admin=True)
        caller, until = self._known.get(sha256, (ANYBODY, 0.0))
        return caller if now < until else None

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

    def _find(self, key: str) -> Caller:
        """Find the caller of a key in the database, and cache it."""
        sha256 = owners.sha256_of(key)
        with self._database.snapshot() as session:
            found = owners.find(session, key)
        with self._lock:
            self._known.pop(sha256, None)
            if found is not None:
                if len(self._known) >= _MAX_CACHED:
                    self._known.clear()
                self._known[sha256] = (found, time.monotonic() + CACHE_SECONDS)
        if found is None:
            raise Unauthorized(f"this key is not known here or was revoked: {HOW_TO}")
        return found


def _anonymous(server: str | None) -> Caller:
    if not is_loopback(server):
        raise Unauthorized(f"this API has no keys yet and answers on the loopback address only: {HOW_TO}")
    return ANYBODY


def _key_of(authorization: str | None) -> str:
    scheme, _, key = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthorized(f"a key is needed: {HOW_TO}")
    return key.strip()


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
