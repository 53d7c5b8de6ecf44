"""Upkeep of the database in short transactions: rows of what is deleted, shards of cancelled jobs, and free space."""

import logging
import threading
import time

from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError

from service.database.connection import Database
from service.database.datasets import removing
from service.database.tables import SHARD_IS_RUNNING, Shard
from service.jobs import endings, removal

# Time for which a transaction should hold SQLite's write lock; the number of rows is adapted to it.
CHUNK_SECONDS = 0.025
FIRST_ROWS, FEWEST_ROWS, MOST_ROWS = 2_000, 200, 50_000

_HAS_WORK = select(or_(endings.CAN_CANCEL_MORE, removal.CAN_STEP, removing.CAN_REMOVE_CHUNKS))

log = logging.getLogger("ravine.upkeep")


class Upkeep(threading.Thread):
    """Periodic thread. Several processes may run it at once. Between two transactions others can write."""

    def __init__(self, database: Database, every_seconds: float) -> None:
        super().__init__(name="upkeep", daemon=True)
        self._database, self._every_seconds = database, every_seconds
        self._stopped = threading.Event()
        self._num_rows = FIRST_ROWS

    def run(self) -> None:
        """Work until stopped. After an error, such as an unavailable database, try again."""
        while not self._stopped.wait(self._every_seconds):
            try:
                self.once()
            except Exception as error:
                log.warning("upkeep of the database failed and will be repeated: %s", error)

    def once(self) -> None:
        """Remove the rows of what is deleted, end the shards of cancelled jobs, and return free space to the disk."""
        while self._has_work() and (self._cancel() or self._remove() or self._remove_chunks()):
            pass
        if self._is_idle() or self._database.why_full() is not None:
            while self._give_back():
                pass
            self._database.shorten_journal()

    def _has_work(self) -> bool:
        """Whether a short transaction would change anything; it reads, because writers would wait for it."""
        with self._database.snapshot() as session:
            return bool(session.execute(_HAS_WORK).scalar())

    def _cancel(self) -> bool:
        with self._database.transaction() as session:
            began = time.monotonic()
            num_ended = endings.cancel_more(session)
        return num_ended > 0 and self._pause(began)

    def _remove(self) -> bool:
        """Remove a chunk of rows, and adapt the size of the next one to its duration."""
        try:
            with self._database.transaction() as session:
                began = time.monotonic()
                num_removed = removal.step(session, self._num_rows)
        except OperationalError:
            # On a full disk there may be room for the journal of fewer rows.
            self._num_rows = max(FEWEST_ROWS, self._num_rows // 4)
            raise
        if num_removed is None:
            return False
        if num_removed > self._num_rows // 2:
            fitting = int(self._num_rows * min(2.0, CHUNK_SECONDS / (time.monotonic() - began)))
            self._num_rows = min(MOST_ROWS, max(FEWEST_ROWS, fitting))
        return self._pause(began)

    def _remove_chunks(self) -> bool:
        """Remove some chunks of a deleted dataset."""
        with self._database.transaction() as session:
            began = time.monotonic()
            num_removed = removing.remove_chunks(session)
        return num_removed is not None and self._pause(began)

    def _give_back(self) -> bool:
        began = time.monotonic()
        return self._database.give_back(seconds=CHUNK_SECONDS) and self._pause(began)

    def _is_idle(self) -> bool:
        """Whether no shard trains, so that no row is about to use the free space."""
        with self._database.snapshot() as session:
            running = select(Shard.job_key).where(SHARD_IS_RUNNING).limit(1)
            return session.execute(running).first() is None

    def _pause(self, began: float) -> bool:
        """Wait as long as the work since ``began`` took; whether to go on."""
        if self._database.why_full() is not None:
            self._database.shorten_journal()
        return not self._stopped.wait(time.monotonic() - began)

    def stop(self) -> None:
        """Stop, and wait up to 1 s for the current transaction, which may be blocked by an unavailable database."""
        self._stopped.set()
        self.join(timeout=1.0)
