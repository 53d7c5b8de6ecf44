"""How the database is reached: one engine, transactions that commit in plain sight, and its own clock.

SQLite runs in WAL mode with BEGIN IMMEDIATE for writers: a transaction that reads first and writes later would
fail at once when another one has written meanwhile, whatever the timeout.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import ColumnElement, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler

from service.columns import UTCDateTime
from service.errors import Unavailable

MIGRATIONS = Path(__file__).parent.parent / "migrations"
# Longer than any write of ours: a chunk of 200,000 rows takes about half a second.
BUSY_TIMEOUT_SECONDS = 30
# A server that does not even refuse is away; by default a connection would wait for it for minutes.
CONNECT_TIMEOUT_SECONDS = 3


class seconds_from_now(ColumnElement[datetime]):  # noqa: N801  (used like an SQL function)
    """The database's own clock, some seconds ahead: leases never depend on a worker's clock."""

    inherit_cache = False

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = float(seconds)
        self.type = UTCDateTime()


@compiles(seconds_from_now, "sqlite")
def _sqlite_now(element: seconds_from_now, compiler: SQLCompiler, **_: Any) -> str:
    # SQLAlchemy reads the digits after the point as microseconds: three more make six of the milliseconds.
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '{element.seconds:+.3f} seconds')"


@compiles(seconds_from_now, "postgresql")
def _postgresql_now(element: seconds_from_now, compiler: SQLCompiler, **_: Any) -> str:
    return f"(clock_timestamp() + make_interval(secs => {element.seconds!r}))"


class Database:
    """The database of this process."""

    def __init__(self, url: str, *, pool_size: int = 20, timed: Callable[[str, float], None] | None = None) -> None:
        """``timed`` gets the kind of each transaction, `read` or `write`, and how many seconds it took."""
        self.url = make_url(url)
        self._timed = timed or (lambda kind, seconds: None)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url, pool_size) if self.is_sqlite else _postgresql_engine(url, pool_size)

    @contextmanager
    def transaction(self, prepare: Callable[[PoolProxiedConnection], None] | None = None) -> Iterator[Session]:
        """Write: what happens inside is stored as a whole at the end, or not at all.

        ``prepare`` gets the connection before the transaction begins, for what needs no lock.

        Raises:
            OperationalError: The database is away, whoever noticed: a bulk write goes past SQLAlchemy to the driver.
        """
        began = time.perf_counter()
        try:
            with self.engine.connect() as connection:
                if prepare is not None:
                    prepare(connection.connection)
                with self._session(connection.execution_options(writes=True)) as session:
                    session.connection()
                    yield session
                    session.commit()
        except self.engine.dialect.loaded_dbapi.OperationalError as error:
            raise OperationalError("bulk write", None, error) from error
        finally:
            self._timed("write", time.perf_counter() - began)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Read; nothing is stored."""
        began = time.perf_counter()
        try:
            with self._session(self.engine) as session:
                yield session
        finally:
            self._timed("read", time.perf_counter() - began)

    def _session(self, bind: Engine | Connection) -> Session:
        # Nothing is kept in a session beyond its transaction, so its objects need no care after bulk changes.
        return Session(bind, expire_on_commit=False, execution_options={"synchronize_session": False})

    def check(self) -> None:
        """Raise Unavailable unless the database answers and its tables are those of this version."""
        try:
            with self.engine.connect() as connection:
                found = MigrationContext.configure(connection).get_current_revision()
        except OperationalError as error:
            raise Unavailable(f"the database cannot be reached: {error.orig}") from error
        wanted = newest_migration()
        if found != wanted:
            raise Unavailable(
                f"the database is at migration {found}, this version needs {wanted}: run `ravine migrate`"
            )

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


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


def _sqlite_engine(url: str, pool_size: int) -> Engine:
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    # sqlite:///file.db?timeout=1 waits for other writers for a second only.
    patience = {} if "timeout" in make_url(url).query else {"timeout": BUSY_TIMEOUT_SECONDS}
    engine = create_engine(url, connect_args=patience, pool_size=pool_size, max_overflow=20)

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: Any) -> None:
        # The driver would begin transactions by itself, and too late; _begin does.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        # With WAL this still survives a crash of the process; only a power cut may lose the last commits.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        # By default the log is copied back every 4 MB, which a sweep writes many times a second.
        connection.execute("PRAGMA wal_autocheckpoint = 16384")
        connection.execute("PRAGMA cache_size = -65536")
        # Where a worker's rows wait for their turn to write, see recording.stage.
        connection.execute("PRAGMA temp_store = MEMORY")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql_engine(url: str, pool_size: int) -> Engine:
    # A connection that a restart of the server has broken is replaced before it is used.
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=20,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS},
    )


def newest_migration() -> str | None:
    """Give the revision that this version's tables have."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def migrate(url: str, revision: str = "head") -> None:
    """Bring the tables to a revision, by default the newest."""
    database = Database(url)
    try:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with database.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        database.close()
