"""How is each database opened?

SQLite runs in WAL mode with BEGIN IMMEDIATE for writers: a transaction that reads first and writes later would
fail at once when another one has written meanwhile, whatever the timeout.
"""

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError

# Longer than any write of ours: a chunk of 200,000 rows takes about half a second.
BUSY_TIMEOUT_SECONDS = 30.0
# SQLite itself looks every tenth of a second whether a writer has ended, which left the lock alone for a fifth of the
# time that two workers wrote a sweep.
WRITER_LOOK_SECONDS = 0.002
# A sweep's next rows go between those that are there, on pages that were just written.
WRITERS_CACHE_KIB = 65_536
# Whoever reads rows in bulk comes to no page again.
READERS_CACHE_KIB = 4_096
# A server that does not even refuse is away; by default a connection would wait for it for minutes.
CONNECT_TIMEOUT_SECONDS = 3


def sqlite_engine(url: str, pool_size: int) -> Engine:
    """Open an SQLite file, which is made if it is not there; ?timeout=1 waits for other writers for a second only."""
    parsed = make_url(url)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    patience = float(str(parsed.query.get("timeout", BUSY_TIMEOUT_SECONDS)))
    # The connection that was used last comes first: each that is used has a cache of its own.
    engine = create_engine(
        url, connect_args={"timeout": patience}, pool_size=pool_size, max_overflow=20, pool_use_lifo=True
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: Any) -> None:
        # The driver would begin transactions by itself, and too late; _begin does.
        connection.isolation_level = None
        # A file that is there keeps its own. Four times SQLite's default: a sweep is written in a sixth less time.
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA journal_mode = WAL")
        # With WAL this still survives a crash of the process; only a power cut may lose the last commits.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        # By default the log is copied back every 1,000 pages, which a sweep writes many times a second.
        connection.execute("PRAGMA wal_autocheckpoint = 4096")
        connection.execute(f"PRAGMA cache_size = {-WRITERS_CACHE_KIB}")
        # Where a worker's rows wait for their turn to write, see recording.stage.
        connection.execute("PRAGMA temp_store = MEMORY")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes", False):
            connection.exec_driver_sql(f"PRAGMA cache_size = {-WRITERS_CACHE_KIB}")
            _begin_to_write(connection, patience)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_to_write(connection: Connection, patience: float) -> None:
    """Begin as soon as no other writer is left."""
    deadline = time.monotonic() + patience
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(WRITER_LOOK_SECONDS)
            else:
                return
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(1_000 * patience)}")


def _is_busy(error: OperationalError) -> bool:
    return isinstance(error.orig, sqlite3.Error) and error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def postgresql_engine(url: str, pool_size: int) -> Engine:
    """Open a PostgreSQL database; a connection that its restart has broken is replaced before it is used."""
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=20,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS},
    )
