"""Connections to the database: transactions that write, snapshots that read."""

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.database.dialects.known import DIALECTS
from service.errors import DiskFull

# For so long a process remembers that the database has reported a full disk.
FULL_SECONDS = 5.0
FULL_REMEDY = "free space or delete jobs"
# Space that is returned to the disk between two looks at the clock.
PORTION_BYTES = 1 << 20


class Database:
    """The database of this process."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 20,
        timed: Callable[[str, float], None] | None = None,
        min_free_bytes: int = 0,
    ) -> None:
        """Open the database at a URL.

        Args:
            url: The URL.
            pool_size: Connections that stay open.
            timed: Gets `read` or `write` and the seconds of each transaction.
            min_free_bytes: Free space on the disk of a file below which ``why_full`` gives a reason.
        """
        self.url = make_url(url)
        self.dialect = DIALECTS[self.url.get_backend_name()]
        self.engine = self.dialect.open(url, pool_size)
        self._reader = self.dialect.reader(self.engine)
        self.version = self.dialect.watch(self.engine)
        self._timed = timed or (lambda kind, seconds: None)
        self._writer = threading.Lock()
        # The folder of a file whose disk is watched.
        self._folder = str(self.file.parent) if self.file is not None and min_free_bytes else None
        self._min_free_bytes = min_free_bytes
        self._full_until = -math.inf

    @property
    def file(self) -> Path | None:
        """The file of the database; None for a database server."""
        return Path(self.url.database or "") if self.dialect.is_file else None

    @contextmanager
    def transaction(self, prepare: Callable[[Connection], None] | None = None) -> Iterator[Session]:
        """Open a transaction that writes. It is committed at the end of the block, or rolled back after an error.

        ``prepare`` gets the connection before the transaction begins, for work that needs no lock.

        Raises:
            OperationalError: The database cannot be used.
        """
        with self._timing("write", "bulk write"), self._turn(), self.engine.connect() as connection:
            if prepare is not None:
                prepare(connection)
            with self._session(connection.execution_options(writes=True)) as session:
                session.connection()
                yield session
                session.commit()
        self.dialect.after_commit(self.engine)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Open a transaction that reads; nothing is stored.

        Raises:
            OperationalError: The database cannot be used.
        """
        with self._timing("read", "bulk read"), self._session(self._reader) as session:
            yield session

    def rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Read with the cursor of the driver, ten times faster for a few rows; ``?`` stands for each value.

        Raises:
            OperationalError: The database cannot be used.
        """
        with (
            self._timing("read", statement),
            self._reader.connect() as connected,
            closing(connected.connection.cursor()) as cursor,
        ):
            cursor.execute(statement.replace("?", self.dialect.placeholder), values)
            return list(cursor.fetchall())

    @contextmanager
    def _timing(self, kind: str, statement: str) -> Iterator[None]:
        """Report the duration. Raise errors of bulk statements, which the driver raises, as those of SQLAlchemy."""
        began = time.perf_counter()
        try:
            yield
        except OperationalError as error:
            self._note(error.orig)
            raise
        except self.engine.dialect.loaded_dbapi.OperationalError as error:
            self._note(error)
            raise OperationalError(statement, None, error) from error
        finally:
            self._timed(kind, time.perf_counter() - began)

    def _note(self, error: BaseException | None) -> None:
        """Remember that the disk was full."""
        if error is not None and self.dialect.is_full(error):
            self._full_until = time.monotonic() + FULL_SECONDS

    def why_full(self) -> str | None:
        """Say that the disk of the database is full, and what to do; None if rows can be added.

        It is full for this process if less than ``min_free_bytes`` are free on the disk of a file, and for a few
        seconds after the database has reported it.
        """
        if self._folder is not None:
            with suppress(OSError):
                disk = os.statvfs(self._folder)
                free = disk.f_bavail * disk.f_frsize
                if free < self._min_free_bytes:
                    return f"the disk of the database is full ({free >> 20:,} MiB are free): {FULL_REMEDY}"
        return f"the disk of the database is full: {FULL_REMEDY}" if time.monotonic() < self._full_until else None

    def require_space(self) -> None:
        """Raise DiskFull if no rows can be added."""
        if (reason := self.why_full()) is not None:
            raise DiskFull(reason)

    def give_back(self, *, seconds: float) -> bool:
        """Return free space inside the file to the disk, in a short transaction; whether there is more to return."""
        if self.file is None:
            return False
        with self.snapshot() as session:
            if not self.dialect.has_free(session):
                return False
        with self.transaction() as session:
            began, returned = time.monotonic(), 0
            while (portion := self.dialect.give_back(session, PORTION_BYTES)) and time.monotonic() < began + seconds:
                returned += portion
        return portion > 0

    def rebuild(self) -> None:
        """Write the database anew, without free space; nothing else may use it.

        Raises:
            OperationalError: The database is in use, or the disk is full.
        """
        with self._timing("write", "rebuild"):
            self.dialect.rebuild(self.engine)

    def shorten_journal(self) -> None:
        """Make the journal as short as readers allow."""
        self.dialect.after_commit(self.engine, is_idle=True)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let threads of this process write to SQLite one after another, so that one connection waits for the lock."""
        seconds = self.dialect.turn_seconds
        has_turn = seconds is not None and self._writer.acquire(timeout=seconds)
        try:
            yield
        finally:
            if has_turn:
                self._writer.release()

    def _session(self, bind: Engine | Connection) -> Session:
        # A session ends with its transaction, so its objects need no synchronization after bulk changes.
        return Session(bind, expire_on_commit=False, execution_options={"synchronize_session": False})

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
