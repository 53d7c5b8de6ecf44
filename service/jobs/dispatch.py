"""Messages from committed shards to the workers, and the sweep that repeats lost ones.

The row decides; a message only announces it. Lost, repeated or late messages change nothing.
"""

import logging
import math
import threading
import time
from collections.abc import Iterable
from typing import Any

from celery import Celery
from sqlalchemy.exc import OperationalError

from service.database.connection import Database
from service.errors import Unavailable
from service.jobs import endings, lifecycle, messages, shards, tallies
from service.observing import tracing
from service.settings import Settings

TRAIN_SHARD = "ravine.train_shard"
QUEUES = ("interactive", "batch")
# A message that found an empty queue is on its way or lost: after this long it is lost.
LOST_AFTER_SECONDS = 2.0
# Where the queue is never empty a lost message shows only by its age; one repeat a minute costs nothing.
REPEAT_AFTER_SECONDS = 60.0

# A database that was away has kept leases from being renewed. Their workers, who try twice a second, come first.
AFTER_OUTAGE_SECONDS = 3.0

log = logging.getLogger("ravine.dispatch")


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Give what service and worker must agree on about the broker."""
    return {
        "broker_url": settings.broker_url,
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_create_missing_queues": True,
    }


class Dispatcher:
    """Sends messages to the workers, by the names of their tasks."""

    def __init__(self, settings: Settings) -> None:
        self._celery = Celery("ravine", set_as_current=False)
        self._celery.conf.update(
            celery_settings(settings),
            # A request waits for the broker for a moment only; by default it would try again for ever.
            broker_transport_options={
                "max_retries": 0,
                "socket_timeout": settings.publish_timeout_seconds,
                "socket_connect_timeout": settings.publish_timeout_seconds,
            },
            # As many as there are threads that answer requests.
            broker_pool_limit=40,
        )

    def send(self, queue: str, waiting: Iterable[tuple[int, int]]) -> None:
        """Send one message for each (job key, shard number). What cannot be sent now is left to the sweep."""
        try:
            with self._celery.producer_pool.acquire(block=True) as producer:
                for job_key, number in waiting:
                    self._celery.send_task(
                        TRAIN_SHARD,
                        args=(job_key, number),
                        queue=queue,
                        producer=producer,
                        retry=False,
                        headers=tracing.carrier(),
                    )
        except Exception as error:  # Whatever the transport raises, the shard is safe in its row.
            log.warning("the broker took no message, the sweep will send it again: %s", error)

    def check(self) -> None:
        """Raise Unavailable unless the broker answers."""
        try:
            self.depth(QUEUES[0])
        except Exception as error:
            raise Unavailable(f"the broker cannot be reached: {error}") from error

    def depth(self, queue: str) -> int:
        """Count the messages that wait in a queue."""
        with self._celery.connection_for_write() as connection, connection.channel() as channel:
            return int(channel.queue_declare(queue=queue, durable=True).message_count)

    def workers(self, seconds: float) -> list[str]:
        """Ask all workers to answer within so long, and give the names of those that did."""
        answers = self._celery.control.inspect(timeout=seconds).ping() or {}
        return sorted(answers)

    def close(self) -> None:
        """Give all connections back."""
        self._celery.close()


class Sweep(threading.Thread):
    """Every second or two: give abandoned shards to other workers, send forgotten messages, delete what expired.

    Any number of processes may do this at once: each step is a conditional change of a row.
    """

    def __init__(self, database: Database, dispatcher: Dispatcher, settings: Settings) -> None:
        super().__init__(name="sweep", daemon=True)
        self._database, self._dispatcher, self._settings = database, dispatcher, settings
        self._stopped = threading.Event()
        self._lenient_until = 0.0

    def run(self) -> None:
        """Sweep until stopped; a database or broker that is away for a while is tried again."""
        while not self._stopped.wait(self._settings.sweep_seconds):
            try:
                self.once()
            except Exception as error:
                log.warning("the sweep could not finish and will be repeated: %s", error)

    def once(self) -> None:
        """Sweep once."""
        try:
            with self._database.transaction() as session:
                lost = 0
                if time.monotonic() > self._lenient_until:
                    lost = shards.take_back(session, max_attempts=self._settings.max_attempts)
                endings.time_out(session)
                lifecycle.remove_expired(session)
                # Last, when no row of a job has to be waited for any more.
                tallies.add(session, leases_lost=lost)
        except OperationalError:
            self._lenient_until = math.inf
            raise
        if self._lenient_until == math.inf:
            self._lenient_until = time.monotonic() + AFTER_OUTAGE_SECONDS
        with self._database.snapshot() as session:
            silent_queues = messages.silent_queues(session, silent_seconds=LOST_AFTER_SECONDS)
        for queue in silent_queues:
            silent = LOST_AFTER_SECONDS if self._dispatcher.depth(queue) == 0 else REPEAT_AFTER_SECONDS
            with self._database.transaction() as session:
                forgotten = messages.to_publish(session, queue, silent_seconds=silent)
            self._dispatcher.send(queue, forgotten)

    def stop(self) -> None:
        """Stop, and wait for the current sweep unless it hangs on a database that is away."""
        self._stopped.set()
        self.join(timeout=1.0)
