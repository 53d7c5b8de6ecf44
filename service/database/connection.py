"""Connections to the database: transactions that write, snapshots that read."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.database.dialects.known import DIALECTS


class Database:
    """The database of this process."""

    def __init__(self, url: str, *, pool_size: int = 20, timed: Callable[[str, float], None] | None = None) -> None:
        """Open the database at a URL; ``timed`` gets `read` or `write` and the seconds of each transaction."""
        self.url = make_url(url)
        self.dialect = DIALECTS[self.url.get_backend_name()]
        self.engine = self.dialect.open(url, pool_size)
        self._reader = self.dialect.reader(self.engine)
        self._timed = timed or (lambda kind, seconds: None)
        self._writer = threading.Lock()

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
        except self.engine.dialect.loaded_dbapi.OperationalError as error:
            raise OperationalError(statement, None, error) from error
        finally:
            self._timed(kind, time.perf_counter() - began)

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
