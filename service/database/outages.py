"""Why can the database not be used for now? In words that a client may read."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout


def why_unavailable(error: SQLAlchemyError) -> str | None:
    """Say what keeps the database from being used for now; None where it works and refuses what it was asked.

    The driver's own words stay in the log: they may name hosts, users and files.
    """
    if isinstance(error, PoolTimeout):
        return "has no connection free"
    if not isinstance(error, DBAPIError):
        return None
    if error.connection_invalidated:
        return "closed the connection"
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        # Extended result codes have the primary one in their lowest eight bits.
        return _SQLITE_REASONS.get(code & 0xFF)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return next((reason for prefix, reason in _POSTGRESQL_REASONS.items() if state.startswith(prefix)), None)
    # Without a code, the driver found nobody to ask.
    return "cannot be reached" if isinstance(error, OperationalError | InterfaceError) else None


_SQLITE_REASONS = {
    sqlite3.SQLITE_BUSY: "stays locked by another process",
    sqlite3.SQLITE_LOCKED: "stays locked by another process",
    sqlite3.SQLITE_READONLY: "is read-only",
    sqlite3.SQLITE_FULL: "has no disk space left",
    sqlite3.SQLITE_IOERR: "cannot read or write its disk",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_PERM: "cannot be opened",
    sqlite3.SQLITE_AUTH: "cannot be opened",
    sqlite3.SQLITE_NOTADB: "is damaged",
    sqlite3.SQLITE_CORRUPT: "is damaged",
}
# SQLSTATE by class or whole (PostgreSQL manual, appendix A).
_POSTGRESQL_REASONS = {
    "08": "cannot be reached",
    "25006": "is read-only",
    "28": "does not let this service in",
    "3D": "is not there",
    "40": "was busy with a conflicting change",
    "42P01": "has not the tables of this version: run `ravine migrate`",
    "42703": "has not the tables of this version: run `ravine migrate`",
    "53100": "has no disk space left",
    "53": "has not the means for it now",
    "55P03": "stays locked by another process",
    "57": "is shutting down or starting",
    "58": "cannot read or write its disk",
}
