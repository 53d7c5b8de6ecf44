"""Result codes of SQLite, and what they mean for a user."""

import sqlite3


def primary_code(error: BaseException) -> int:
    """Give the primary result code; extended codes have it in their lowest eight bits."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)) & 0xFF


# Meaning of an error of this primary code.
REASONS = {
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
