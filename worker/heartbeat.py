"""Heartbeat of an attempt: renews the lease, and detects reasons to stop the training."""

import contextvars
import logging
import threading
import time
from typing import Self

from service.database.connection import Database
from service.database.states import Stop
from service.jobs import shards
from service.jobs.shards import Claim, LeaseLost
from service.settings import Settings

# Two renewals in a row may fail before the lease expires.
BEATS_PER_LEASE = 3

log = logging.getLogger("ravine.heartbeat")


class Heartbeat:
    """Context manager whose thread renews the lease of a shard and checks whether its training must stop.

    ``stop`` is the reason to stop, or None. While the database is unavailable, the thread keeps trying.
    """

    def __init__(self, database: Database, settings: Settings, claim: Claim) -> None:
        self.stop: Stop | None = None
        self._database, self._settings, self._claim = database, settings, claim
        self._ended = threading.Event()
        context = contextvars.copy_context()  # Log lines of the thread have the same job and shard.
        self._thread = threading.Thread(target=context.run, args=(self._run,), name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cease()

    def cease(self) -> None:
        """End the thread: no renewal of the lease follows, and none is under way."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        every = self._settings.lease_seconds / BEATS_PER_LEASE
        beat_at = time.monotonic() + every
        while self.stop is None and not self._ended.wait(min(self._settings.look_seconds, every)):
            try:
                with self._database.snapshot() as session:
                    self.stop = shards.look(session, self._claim)
                if time.monotonic() >= beat_at:
                    with self._database.transaction() as session:
                        shards.beat(session, self._claim, lease_seconds=self._settings.lease_seconds)
                    beat_at = time.monotonic() + every
            except LeaseLost:
                self.stop = Stop.LOST
            except Exception as error:
                log.warning("the lease of shard %d could not be renewed, trying again: %s", self._claim.number, error)
