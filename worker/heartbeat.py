"""Heartbeat of an attempt: renews the lease, and detects reasons to stop the training or to hand its shard over."""

import contextvars
import logging
import threading
import time
from collections.abc import Collection
from typing import Self

from sqlalchemy.orm import Session

from service.database.connection import Database
from service.database.states import Stop
from service.jobs import attempts, shards, turns
from service.jobs.shards import Claim, LeaseLost
from service.settings import Settings
from service.spec.price import INTERACTIVE

# Two renewals in a row may fail before the lease expires.
BEATS_PER_LEASE = 3
# A turn is at least this many times as long as the preparation of the training, so that handovers cost at most a tenth;
# but at most twice the setting, so that other owners do not wait much longer.
PREPARATIONS_PER_TURN = 10
LONGEST_TURN = 2

log = logging.getLogger("ravine.heartbeat")


class Heartbeat:
    """Context manager whose thread renews the lease of a shard and checks whether its training must stop.

    ``stop`` is the reason to stop at once, or None; ``handover`` the reason to hand the shard over at the next
    checkpoint, or None. While the database is unavailable, the thread keeps trying.
    ``kinds`` are those of the worker's installed classes.
    """

    def __init__(self, database: Database, settings: Settings, claim: Claim, kinds: Collection[str] = ()) -> None:
        self.stop: Stop | None = None
        self.handover: Stop | None = None
        self._began_at, self._began_at_process_time = time.monotonic(), time.process_time()
        self.turn_seconds = settings.slice_seconds
        self._database, self._settings, self._claim, self._kinds = database, settings, claim, kinds
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

    def prepared(self, seconds: float) -> None:
        """Set the length of the turn; ``seconds`` is the time for which the preparation of the training took."""
        shortest = self._settings.slice_seconds
        self.turn_seconds = min(max(shortest, PREPARATIONS_PER_TURN * seconds), LONGEST_TURN * shortest)

    def _due(self, session: Session) -> Stop | None:
        """Give the reason to hand the shard over, if there is one."""
        queue = self._claim.queue
        if queue == INTERACTIVE:
            # Processor time, because a busy machine is no reason to wait behind larger jobs.
            used = time.process_time() - self._began_at_process_time
            is_over = used >= self._settings.interactive_seconds and turns.anybody_waits(session, queue, self._kinds)
            return Stop.OVERRUN if is_over else None
        passed = time.monotonic() - self._began_at
        is_over = passed >= self.turn_seconds and turns.is_over(session, queue, self._claim.owner, self._kinds)
        return Stop.TURN if is_over else None

    def _run(self) -> None:
        every = self._settings.lease_seconds / BEATS_PER_LEASE
        beat_at = time.monotonic() + every
        while self.stop is None and not self._ended.wait(min(self._settings.look_seconds, every)):
            try:
                with self._database.snapshot() as session:
                    self.stop = attempts.look(session, self._claim)
                    self.handover = self._due(session)
                if time.monotonic() >= beat_at:
                    with self._database.transaction() as session:
                        shards.beat(session, self._claim, lease_seconds=self._settings.lease_seconds)
                    beat_at = time.monotonic() + every
            except LeaseLost:
                self.stop = Stop.LOST
            except Exception as error:
                log.warning("the lease of shard %d could not be renewed, trying again: %s", self._claim.number, error)
