"""The interface of a dialect: everything that SQLite and PostgreSQL do differently.

``tests/database/test_rows.py`` and ``test_statements.py`` test both implementations.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from service.database.bulk import Bools, Floats, Integers, MetricRows, Outcomes


class Dialect(ABC):
    """One database. Names and conditions passed as text come from this package, never from a user."""

    is_file: ClassVar[bool]
    """Whether the database is a file of this machine."""
    nan: ClassVar[Any]
    """A NaN as the driver stores it."""
    placeholder: ClassVar[str]
    """What stands for a parameter in a statement of the driver."""
    row_order: ClassVar[tuple[str, str]]
    """Expressions that order the rows of a job in ``metrics`` as an index does, each for at most 64 rows."""
    turn_seconds: ClassVar[float | None]
    """Seconds that a thread waits for another writer of its process; None where threads write in parallel."""

    @abstractmethod
    def open(self, url: str, pool_size: int) -> Engine:
        """Open a pool of connections; a transaction with the execution option ``writes`` begins as a writer."""

    @abstractmethod
    def reader(self, engine: Engine) -> Engine:
        """Derive the engine that readers use."""

    @abstractmethod
    def watch(self, engine: Engine) -> Callable[[], int | None]:
        """Make a function that gives a number, another one after each commit of others; it takes microseconds.

        It belongs to one thread. It gives None where that number cannot be read at once.
        """

    @abstractmethod
    def now(self, seconds: float) -> str:
        """Write the clock of the database, some seconds ahead, as an SQL expression."""

    @abstractmethod
    def contains(self, column: str, text: str) -> str:
        """Write the condition that a text contains another one, compared byte by byte."""

    @abstractmethod
    def by_code_point(self, text: str) -> str:
        """Write a text that is compared and sorted by the numbers of its characters."""

    @abstractmethod
    def milliseconds_between(self, first: str, last: str) -> str:
        """Write the whole milliseconds from one time to another."""

    @abstractmethod
    def insert(self, table: Any) -> Any:
        """Begin an INSERT that offers ``on_conflict_do_update``."""

    @abstractmethod
    def lock(self, session: Session, name: str) -> None:
        """Wait for a named lock and hold it until the transaction ends."""

    @abstractmethod
    def stage(
        self, connection: PoolProxiedConnection, job_key: int, rows: MetricRows | None, outcomes: Outcomes | None
    ) -> None:
        """Prepare a chunk before the transaction that writes it, where this shortens it."""

    @abstractmethod
    def write_rows(self, session: Session, job_key: int, rows: MetricRows) -> None:
        """Insert metric rows.

        Raises:
            StoredTwice: Some of them are stored already.
        """

    @abstractmethod
    def write_runs(self, session: Session, job_key: int, outcomes: Outcomes) -> None:
        """Insert or update rows of ``runs``."""

    @abstractmethod
    def read(
        self, session: Session, integers: Sequence[str], floats: Sequence[str], rest: str
    ) -> tuple[Integers, Floats, Bools]:
        """Run ``SELECT integers, floats rest``; give the columns, and where a float is NULL. A NULL is also NaN."""

    @abstractmethod
    def epochs_within(self, first: int, end: int) -> str:
        """Write the condition that row ``m`` of metrics has an epoch from ``first`` to before ``end``."""

    @abstractmethod
    def each_run(self, of_job: str, of_run: str) -> str:
        """Write FROM and WHERE that look up metric rows ``m`` (limited by ``of_run``) of runs ``r`` (by ``of_job``)."""

    @abstractmethod
    def after_commit(self, engine: Engine, *, is_idle: bool = False) -> None:
        """Keep the journal of the database short, without a transaction; with ``is_idle`` as short as possible."""

    @abstractmethod
    def gives_back(self, session: Session) -> bool:
        """Whether space of deleted rows returns to the disk in portions, by ``give_back``."""

    @abstractmethod
    def has_free(self, session: Session) -> bool:
        """Whether ``give_back`` has space to return."""

    @abstractmethod
    def give_back(self, session: Session, num_bytes: int) -> int:
        """Return free space inside the file to the disk, about so many bytes; give the number of returned bytes."""

    @abstractmethod
    def rebuild(self, engine: Engine) -> None:
        """Write the file anew, without free space; nothing else may use the database."""

    @abstractmethod
    def is_full(self, error: BaseException) -> bool:
        """Whether an error means that the disk is full."""

    @abstractmethod
    def has_raised(self, error: BaseException) -> bool:
        """Whether an error is the driver's, with a code."""

    @abstractmethod
    def reason(self, error: BaseException) -> str | None:
        """Say why the database cannot be used for now; None where it works and refuses the statement."""
