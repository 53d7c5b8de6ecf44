"""How the database is used: transactions that commit in plain sight, and its own clock."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from service.database.columns import UTCDateTime
from service.database.engines import BUSY_TIMEOUT_SECONDS, postgresql_engine, sqlite_engine


class seconds_from_now(ColumnElement[datetime]):  # noqa: N801  (used like an SQL function)
    """The database's own clock, some seconds ahead: leases never depend on a worker's clock."""

    # The seconds are written into the statement, so a compiled one serves those of the same seconds only.
    inherit_cache = True
    _traverse_internals = [("seconds", InternalTraversal.dp_plain_obj)]  # noqa: RUF012

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
        self._writer = threading.Lock()
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = sqlite_engine(url, pool_size) if self.is_sqlite else postgresql_engine(url, pool_size)
        # PostgreSQL shows each statement what is stored when it begins, in a transaction or not: its BEGIN and ROLLBACK
        # would be two more journeys for every reader, each as long as the query.
        self._reader = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def transaction(self, prepare: Callable[[PoolProxiedConnection], None] | None = None) -> Iterator[Session]:
        """Write: what happens inside is stored as a whole at the end, or not at all.

        ``prepare`` gets the connection before the transaction begins, for what needs no lock.

        Raises:
            OperationalError: The database is away, whoever noticed: a bulk write goes past SQLAlchemy to the driver.
        """
        began = time.perf_counter()
        try:
            with self._turn(), self.engine.connect() as connection:
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
            with self._session(self._reader) as session:
                yield session
        finally:
            self._timed("read", time.perf_counter() - began)

    def rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Read on the driver's own cursor, a tenth of SQLAlchemy's work for a few rows; ``?`` stands for each value.

        Raises:
            OperationalError: The database is away.
        """
        began = time.perf_counter()
        try:
            with self._reader.connect() as connected, closing(connected.connection.cursor()) as cursor:
                cursor.execute(statement if self.is_sqlite else statement.replace("?", "%s"), values)
                return list(cursor.fetchall())
        except self.engine.dialect.loaded_dbapi.OperationalError as error:
            raise OperationalError(statement, None, error) from error
        finally:
            self._timed("read", time.perf_counter() - began)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let threads of this process write to SQLite in turn: one waits for the file, and one connection is enough."""
        has_turn = self.is_sqlite and self._writer.acquire(timeout=BUSY_TIMEOUT_SECONDS)
        try:
            yield
        finally:
            if has_turn:
                self._writer.release()

    def _session(self, bind: Engine | Connection) -> Session:
        # Nothing is kept in a session beyond its transaction, so its objects need no care after bulk changes.
        return Session(bind, expire_on_commit=False, execution_options={"synchronize_session": False})

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
