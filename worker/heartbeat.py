"""Heartbeat of an attempt: renews the lease, and finds out when the training has to stop."""

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

# Two beats may be lost before the lease is.
BEATS_PER_LEASE = 3

log = logging.getLogger("ravine.heartbeat")


class Heartbeat:
    """Renews the lease of a shard and looks at its job, from a thread, for as long as the block takes.

    ``stop`` is None while the training should go on. A database that is away changes nothing: both are tried again.
    """

    def __init__(self, database: Database, settings: Settings, claim: Claim) -> None:
        self.stop: Stop | None = None
        self._database, self._settings, self._claim = database, settings, claim
        self._ended = threading.Event()
        known = contextvars.copy_context()  # The log of the thread names the same job and shard.
        self._thread = threading.Thread(target=known.run, args=(self._run,), name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
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
