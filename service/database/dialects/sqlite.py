"""SQLite: WAL mode, one writer at a time, bulk reads and writes by databases in memory (sqlite_rows.py).

Writers begin with BEGIN IMMEDIATE: a transaction that reads first and writes later fails at once when another one has
written meanwhile, whatever the timeout. Metric rows are packed before the transaction begins, so that only their copy
holds the write lock.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from service.database.bulk import Bools, Floats, Integers, MetricRows, Outcomes, StoredTwice
from service.database.dialects import sqlite_file, sqlite_rows, sqlite_runs
from service.database.dialects.dialect import Dialect
from service.database.dialects.sqlite_errors import REASONS, primary_code

# Longer than any write of this service: a chunk of 200,000 rows takes about half a second.
BUSY_TIMEOUT_SECONDS = 30.0
# SQLite's own busy handler polls every 0.1 s, which leaves the lock idle for a fifth of the time between two workers.
LOCK_POLL_SECONDS = 0.002
# Rows of a sweep are inserted between existing ones, on recently written pages.
WRITER_CACHE_KIB = 65_536
# Bulk readers never revisit a page.
READER_CACHE_KIB = 4_096


class SQLite(Dialect):
    """SQLite."""

    is_file = True
    nan = sqlite_rows.NAN
    placeholder = "?"
    row_order = ("run_index", "epoch")
    turn_seconds = BUSY_TIMEOUT_SECONDS

    def __init__(self) -> None:
        self._journals = sqlite_file.Journals()

    def open(self, url: str, pool_size: int) -> Engine:
        """Open a file, created where it is missing; ``?timeout=1`` limits the wait for other writers to 1 s."""
        parsed = make_url(url)
        patience = float(str(parsed.query.get("timeout", BUSY_TIMEOUT_SECONDS)))
        # Last in, first out: each connection in use has a cache of its own.
        engine = create_engine(
            url, connect_args={"timeout": patience}, pool_size=pool_size, max_overflow=20, pool_use_lifo=True
        )

        @event.listens_for(engine, "do_connect")
        def _make_folder(*_: Any) -> None:
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _: Any) -> None:
            # The driver would begin transactions by itself, and too late; _begin does.
            connection.isolation_level = None
            # For new files. Four times the default: a sweep is written in a sixth less time.
            connection.execute(f"PRAGMA page_size = {sqlite_file.PAGE_BYTES}")
            # For new files: free pages return to the disk in portions (``give_back``).
            # In a file with tables it changes nothing and would need the write lock.
            if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            # With WAL this survives a crash of the process; only a power cut may lose the last commits.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            # ``after_commit`` checkpoints earlier, and outside of the write lock.
            connection.execute(f"PRAGMA wal_autocheckpoint = {2 * sqlite_file.WAL_BYTES // sqlite_file.PAGE_BYTES}")
            connection.execute(f"PRAGMA journal_size_limit = {sqlite_file.WAL_BYTES}")
            connection.execute(f"PRAGMA cache_size = {-WRITER_CACHE_KIB}")
            connection.execute("PRAGMA temp_store = MEMORY")
            sqlite_rows.attach(connection)
            sqlite_runs.attach(connection)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            if connection.get_execution_options().get("writes", False):
                opened: Any = connection.connection.driver_connection
                opened.execute(f"PRAGMA cache_size = {-WRITER_CACHE_KIB}")
                _begin_immediate(opened, patience)
            elif not connection.get_execution_options().get("reads", False):
                connection.exec_driver_sql("BEGIN")

        return engine

    def reader(self, engine: Engine) -> Engine:
        """Let each statement read a snapshot of its own: a longer one would keep the WAL from being reset."""
        return engine.execution_options(reads=True)

    def watch(self, engine: Engine) -> Callable[[], int | None]:
        """Read the version of the data, which is in memory that the processes share."""
        return sqlite_file.watch(engine)

    def now(self, seconds: float) -> str:
        """Read the clock in UTC, to the millisecond."""
        # SQLAlchemy reads the digits after the point as microseconds: three more make six of the milliseconds.
        return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '{seconds:+.3f} seconds')"

    def contains(self, column: str, text: str) -> str:
        """Find the text."""
        return f"(instr({column}, {text}) > 0)"

    def by_code_point(self, text: str) -> str:
        """Leave the text: SQLite sorts by bytes of UTF-8."""
        return text

    def milliseconds_between(self, first: str, last: str) -> str:
        """Subtract the days."""
        return f"CAST(round((julianday({last}) - julianday({first})) * 86400000) AS INTEGER)"

    def insert(self, table: Any) -> Any:
        """Begin an INSERT."""
        return sqlite.insert(table)

    def lock(self, session: Session, name: str) -> None:
        """Do nothing: a writer holds the lock of the whole database."""

    def stage(
        self, connection: PoolProxiedConnection, job_key: int, rows: MetricRows | None, outcomes: Outcomes | None
    ) -> None:
        """Pack the rows into databases in memory."""
        if rows is not None:
            sqlite_rows.stage(connection, rows)
        if outcomes is not None:
            sqlite_runs.stage(connection, outcomes)

    def write_rows(self, session: Session, job_key: int, rows: MetricRows) -> None:
        """Copy the rows from the database in memory, or insert them where they were not staged."""
        try:
            sqlite_rows.write(session.connection().connection, job_key, rows)
        except sqlite3.IntegrityError as error:
            raise StoredTwice(str(error)) from error

    def write_runs(self, session: Session, job_key: int, outcomes: Outcomes) -> None:
        """Copy the rows from the database in memory, or insert them where they were not staged."""
        sqlite_runs.write(session.connection().connection, job_key, outcomes)

    def read(
        self, session: Session, integers: Sequence[str], floats: Sequence[str], rest: str
    ) -> tuple[Integers, Floats, Bools]:
        """Read the rows, all at once if they are many."""
        connection: Any = session.connection().connection.driver_connection
        connection.execute(f"PRAGMA cache_size = {-READER_CACHE_KIB}")
        return sqlite_rows.read(connection, integers, floats, rest)

    def epochs_within(self, first: int, end: int) -> str:
        """Limit the epoch, the last column of the primary key."""
        return f"m.epoch >= {first:d} AND m.epoch < {end:d}"

    def each_run(self, of_job: str, of_run: str) -> str:
        """Join from left to right, which CROSS JOIN makes SQLite do."""
        return f"FROM runs AS r CROSS JOIN metrics AS m WHERE {of_run} AND {of_job}"

    def after_commit(self, engine: Engine, *, is_idle: bool = False) -> None:
        """Checkpoint a long WAL, and truncate it."""
        self._journals.shorten(engine, at_least=0 if is_idle else sqlite_file.WAL_BYTES)

    def gives_back(self, session: Session) -> bool:
        """Whether the file was made with incremental vacuum."""
        return sqlite_file.gives_back(session)

    def has_free(self, session: Session) -> bool:
        """Whether free pages can return to the disk."""
        return sqlite_file.gives_back(session) and sqlite_file.free_pages(session) >= sqlite_file.FEWEST_FREE_PAGES

    def give_back(self, session: Session, num_bytes: int) -> int:
        """Move the last pages of the file to free ones, and cut the file."""
        return sqlite_file.give_back(session, num_bytes)

    def rebuild(self, engine: Engine) -> None:
        """VACUUM."""
        sqlite_file.rebuild(str(engine.url.database))

    def is_full(self, error: BaseException) -> bool:
        """Whether it is SQLITE_FULL."""
        return primary_code(error) == sqlite3.SQLITE_FULL

    def has_raised(self, error: BaseException) -> bool:
        """Whether an error has a result code."""
        return getattr(error, "sqlite_errorcode", None) is not None

    def reason(self, error: BaseException) -> str | None:
        """Find the result code of an error."""
        return REASONS.get(primary_code(error))


def _begin_immediate(connection: Any, patience: float) -> None:
    """Begin as soon as no other writer is left.

    On the driver's connection: a poll takes 3 µs there, and 57 µs through SQLAlchemy.
    """
    deadline = time.monotonic() + patience
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise OperationalError("BEGIN IMMEDIATE", None, error) from error
                time.sleep(LOCK_POLL_SECONDS)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(1_000 * patience)}")
