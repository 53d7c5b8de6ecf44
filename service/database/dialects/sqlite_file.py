"""The files of SQLite: the length of the WAL, and free space inside the database file.

SQLite alone resets the WAL only at a moment at which no reader uses it and no writer has added to it since the last
checkpoint. While clients poll and several workers write, there is no such moment, and the WAL grows without a bound.
"""

import logging
import math
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

PAGE_BYTES = 16_384
# Size of the WAL above which a writer checkpoints after its commit. Other writers wait for a part of the checkpoint.
WAL_BYTES = 16 << 20
# Longest wait of such a checkpoint for other writers, then for readers. It is four times as long for each further
# WAL_BYTES, so that statements of readers that overlap do not let the WAL grow.
CHECKPOINT_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.02, 5.0
# Time in which the checkpoint is repeated, and shortest pause after one that others have prevented.
CHECKPOINT_SECONDS = 0.3
CHECKPOINT_PAUSE_SECONDS = 0.5
# Fewer stay in the file for the next rows.
FEWEST_FREE_PAGES = 64
# Value of PRAGMA auto_vacuum.
_INCREMENTAL = 2

log = logging.getLogger("ravine.database")


class Journals:
    """The WALs of the databases of this process."""

    def __init__(self) -> None:
        # Time and size of the last checkpoint of each that others have prevented.
        self._tried: dict[str, tuple[float, int]] = {}

    def shorten(self, engine: Engine, *, at_least: int) -> None:
        """Checkpoint and truncate a WAL of more than ``at_least`` bytes.

        The first checkpoints copy pages while others write. The last one holds the write lock, copies what was
        added since, and waits for readers; later readers read the database file and are not waited for. Nobody
        waits for the checkpoint of another connection before the WAL is twice as long.
        """
        wal = Path(f"{engine.url.database}-wal")
        size = wal.stat().st_size if wal.exists() else 0
        if size <= at_least or not self._is_due(str(wal), size):
            return
        try:
            with engine.connect() as connected:
                if _checkpoint(connected.connection.driver_connection, _patience(size), waits=size >= 2 * WAL_BYTES):
                    self._tried.pop(str(wal), None)
        except (sqlite3.Error, SQLAlchemyError) as error:
            log.warning("the WAL could not be checkpointed and grows until it can: %s", error)

    def _is_due(self, wal: str, size: int) -> bool:
        """Whether to checkpoint: not again while the same long reader lasts, unless the WAL has grown much."""
        now = time.monotonic()
        tried_at, tried_size = self._tried.get(wal, (-math.inf, 0))
        if now - tried_at < CHECKPOINT_PAUSE_SECONDS and 0 <= size - tried_size < WAL_BYTES:
            return False
        self._tried[wal] = now, size
        return True


def _patience(size: int) -> float:
    """Give the seconds for which a checkpoint of a WAL of this size waits for others, while writers wait for it."""
    steps = max(0, (size - WAL_BYTES) // WAL_BYTES)
    return float(min(LONGEST_WAIT_SECONDS, CHECKPOINT_WAIT_SECONDS * 4 ** min(steps, 8)))


def _checkpoint(connection: Any, seconds: float, *, waits: bool) -> bool:
    """Copy the WAL into the file and truncate it, unless others prevent it; whether it is truncated.

    Args:
        connection: The connection of the driver.
        seconds: Time to wait for writers and readers at a time.
        waits: Whether to wait if another connection checkpoints.
    """
    deadline = time.monotonic() + CHECKPOINT_SECONDS
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {round(1_000 * seconds)}")
    try:
        # The second one copies what was added during the first one, so that the next one has little to write to the
        # disk while it holds the write lock.
        for _ in range(2):
            others_checkpoint = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[0]
            if others_checkpoint and not waits:
                return False
        # SQLite waits at growing intervals, so that one long wait would miss the gaps between two writers.
        while is_busy := connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > deadline:
                break
        return not is_busy
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")


def watch(engine: Engine) -> Callable[[], int | None]:
    """Make a function that gives the version of the data for a connection of its own, without waiting for others."""
    opened: list[PoolProxiedConnection] = []

    def version() -> int | None:
        try:
            if not opened:
                opened.append(_detached(engine))
            # All rows are fetched: a statement that is not finished would keep the WAL from being reset.
            ((number,),) = opened[0].cursor().execute("PRAGMA data_version").fetchall()
        except (sqlite3.Error, SQLAlchemyError):
            return None
        return int(number)

    @event.listens_for(engine, "engine_disposed")
    def _close(_: Engine) -> None:
        while opened:
            opened.pop().close()

    return version


def _detached(engine: Engine) -> PoolProxiedConnection:
    """Open a connection that waits for nobody and does not belong to the pool."""
    connection = engine.raw_connection()
    connection.cursor().execute("PRAGMA busy_timeout = 0")
    connection.detach()
    return connection


def gives_back(session: Session) -> bool:
    """Whether the file was made with incremental vacuum."""
    return bool(session.execute(text("PRAGMA auto_vacuum")).scalar_one() == _INCREMENTAL)


def give_back(session: Session, num_bytes: int) -> int:
    """Move the last pages of the file to free ones, cut the file, and give the number of returned bytes."""
    free = free_pages(session)
    if free < FEWEST_FREE_PAGES:
        return 0
    connection: Any = session.connection().connection.driver_connection
    # Each step frees one page, so all rows have to be fetched.
    connection.execute(f"PRAGMA incremental_vacuum({max(1, num_bytes // PAGE_BYTES):d})").fetchall()
    return (free - free_pages(session)) * PAGE_BYTES


def rebuild(file: str) -> None:
    """VACUUM, which also lets an older file give back space in portions from then on."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def free_pages(session: Session) -> int:
    """Count the free pages."""
    return int(session.execute(text("PRAGMA freelist_count")).scalar_one())
