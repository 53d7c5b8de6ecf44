"""Who is asking? A bearer key, or anybody where the API is open: on the loopback address, until there is a key."""

import hmac
import ipaddress
import threading
import time

from service.database.connection import Database
from service.errors import Unauthorized
from service.jobs import owners
from service.jobs.owners import ANYBODY, Caller
from service.settings import Settings

# A key that was looked up is believed for this long: clients poll. One that was revoked may open for a second more.
BELIEVED_SECONDS = 1.0
# Only keys that were found are kept, so that nobody fills the memory with guesses.
_MAX_KEPT = 10_000

HOW_TO = "send `Authorization: Bearer <key>`; `ravine keys create --name NAME` makes a key"


class Authentication:
    """The keys of this process: those of the database, and the one that the setting ``api_key`` names."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        # Hashes here as well: a dump of this process shows nobody's key but the setting's, which its environment has.
        self._setting = owners.sha256_of(settings.api_key.get_secret_value()) if settings.api_key else None
        self._known: dict[str, tuple[Caller, float]] = {}
        # Until when it is believed that there is no key. Once there was one, there always is.
        self._open_until = 0.0
        self._has_keys = self._setting is not None
        self._lock = threading.Lock()

    def caller(self, authorization: str | None, server: str | None) -> Caller:
        """Tell who asks, by the header Authorization and the address of this machine that the request came to.

        Raises:
            Unauthorized: The key is missing or wrong, or there is none yet and the request came from elsewhere.
        """
        known = self.remembered(authorization, server)
        if known is not None:
            return known
        return _anybody(server) if self.is_open() else self._find(_key_of(authorization))

    def remembered(self, authorization: str | None, server: str | None) -> Caller | None:
        """Tell who asks where that takes no reading of the database; None where it does.

        Raises:
            Unauthorized: As in ``caller``.
        """
        now = time.monotonic()
        if not self._has_keys:
            return _anybody(server) if now < self._open_until else None
        key = _key_of(authorization)
        sha256 = owners.sha256_of(key)
        if self._setting is not None and hmac.compare_digest(sha256, self._setting):
            return owners.caller_of(key, is_admin=True)
        caller, until = self._known.get(sha256, (ANYBODY, 0.0))
        return caller if now < until else None

    def is_open(self) -> bool:
        """Whether nobody needs a key: there is none, and there never was one."""
        if self._has_keys:
            return False
        if time.monotonic() < self._open_until:
            return True
        with self._database.snapshot() as session:
            self._has_keys = owners.exist(session)
        self._open_until = time.monotonic() + BELIEVED_SECONDS
        return not self._has_keys

    def _find(self, key: str) -> Caller:
        """Look a key up."""
        sha256 = owners.sha256_of(key)
        with self._database.snapshot() as session:
            found = owners.find(session, key)
        with self._lock:
            self._known.pop(sha256, None)
            if found is not None:
                if len(self._known) >= _MAX_KEPT:
                    self._known.clear()
                self._known[sha256] = (found, time.monotonic() + BELIEVED_SECONDS)
        if found is None:
            raise Unauthorized(f"this key is not known here, or was revoked: {HOW_TO}")
        return found


def _anybody(server: str | None) -> Caller:
    if not is_loopback(server):
        raise Unauthorized(f"this API has no keys yet and answers on the loopback address only: {HOW_TO}")
    return ANYBODY


def _key_of(authorization: str | None) -> str:
    scheme, _, key = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthorized(f"a key is needed: {HOW_TO}")
    return key.strip()


def is_loopback(host: str | None) -> bool:
    """Whether only this machine reaches an address; a Unix socket, which has none, is such a one."""
    if host is None or host.startswith("/"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
