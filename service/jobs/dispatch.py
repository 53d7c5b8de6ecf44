"""Messages that make workers claim queued shards, and the sweep that replaces lost ones.

The state of a shard is in its row; a message only makes a worker claim the shard whose turn it is. Lost, repeated or
late messages therefore change nothing.
"""

import logging
import math
import threading
import time
from typing import Any

from celery import Celery
from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError

from service.database.connection import Database
from service.database.datasets import removing
from service.errors import Unavailable
from service.jobs import browser_sessions, endings, lifecycle, messages, offers, shards, tallies
from service.observing import tracing
from service.settings import Settings
from service.spec.price import BATCH, INTERACTIVE, Price

TRAIN_SHARD = "ravine.train_shard"
QUEUES = (INTERACTIVE, BATCH)
# A request sends at most this many messages for its shards. The sweep sends the others.
MESSAGES_PER_JOB = 16

# While the database was unavailable, no lease could be renewed. Before the sweep takes shards back, it waits this long
# for their workers, which try to renew twice a second.
AFTER_OUTAGE_SECONDS = 3.0

# What the transaction of a sweep may change.
_HAS_WORK = select(
    or_(
        shards.CAN_TAKE_BACK,
        endings.CAN_TIME_OUT,
        lifecycle.HAS_EXPIRED,
        browser_sessions.HAS_EXPIRED,
        offers.HAS_LOST,
        removing.HAS_EXPIRED,
    )
)

log = logging.getLogger("ravine.dispatch")


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Give the broker settings that service and worker share."""
    return {
        "broker_url": settings.broker_url,
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_create_missing_queues": True,
    }


class Dispatcher:
    """Sends messages to the workers; tasks are named, not imported."""

    def __init__(self, settings: Settings) -> None:
        self._celery = Celery("ravine", set_as_current=False)
        self._celery.conf.update(
            celery_settings(settings),
            # No retries: by default Celery would retry without end while a request waits.
            broker_transport_options={
                "max_retries": 0,
                "socket_timeout": settings.publish_timeout_seconds,
                "socket_connect_timeout": settings.publish_timeout_seconds,
            },
            # As many connections as threads that answer requests.
            broker_pool_limit=40,
        )

    def announce(self, cost: Price, kinds: str = "") -> None:
        """Send the messages for a new job, after its commit; ``kinds`` are those of installed classes it needs."""
        self.send(messages.channel_of(cost.queue, kinds), min(cost.num_shards, MESSAGES_PER_JOB))

    def send(self, channel: str, num: int = 1) -> None:
        """Send messages, each for one shard of a channel. The sweep sends what cannot be sent now."""
        try:
            with self._celery.producer_pool.acquire(block=True) as producer:
                for _ in range(num):
                    self._celery.send_task(
                        TRAIN_SHARD,
                        args=(messages.queue_of(channel),),
                        queue=channel,
                        producer=producer,
                        retry=False,
                        headers=tracing.carrier(),
                    )
        except Exception as error:  # The transport may raise any exception. The shard is stored in its row.
            log.warning("message not sent to the broker; the sweep will send one: %s", error)

    def check(self) -> None:
        """Raise Unavailable unless the broker answers."""
        try:
            self.depth(QUEUES[0])
        except Exception as error:
            raise Unavailable(f"the broker cannot be reached: {error}") from error

    def depth(self, channel: str) -> int:
        """Count the messages that wait in a channel."""
        with self._celery.connection_for_write() as connection, connection.channel() as opened:
            return int(opened.queue_declare(queue=channel, durable=True).message_count)

    def workers(self, seconds: float) -> list[str]:
        """Ping all workers and give the names of those that answer within this time."""
        answers = self._celery.control.inspect(timeout=seconds).ping() or {}
        return sorted(answers)

    def close(self) -> None:
        """Close all connections."""
        self._celery.close()


class Sweep(threading.Thread):
    """Periodic thread: queues shards of expired leases again, replaces messages, deletes what has expired.

    Several processes may run it at once: each change of a row has its condition, and superfluous messages are harmless.
    """

    def __init__(self, database: Database, dispatcher: Dispatcher, settings: Settings) -> None:
        super().__init__(name="sweep", daemon=True)
        self._database, self._dispatcher, self._settings = database, dispatcher, settings
        self._stopped = threading.Event()
        self._lenient_until = 0.0

    def run(self) -> None:
        """Sweep until stopped. After an error, such as an unavailable database or broker, sweep again."""
        while not self._stopped.wait(self._settings.sweep_seconds):
            try:
                self.once()
            except Exception as error:
                log.warning("sweep failed and will be repeated: %s", error)

    def once(self) -> None:
        """Sweep once."""
        try:
            if self._has_work():
                self._change()
        except OperationalError:
            self._lenient_until = math.inf
            raise
        if self._lenient_until == math.inf:
            self._lenient_until = time.monotonic() + AFTER_OUTAGE_SECONDS
        with self._database.snapshot() as session:
            needed = [messages.needed(session, queue) for queue in QUEUES]
        for of_queue in needed:
            for channel, num in of_queue.items():
                if num > 0:
                    self._dispatcher.send(channel, num - self._dispatcher.depth(channel))

    def _has_work(self) -> bool:
        """Whether a transaction would change anything; it reads, because writers would wait for it."""
        with self._database.snapshot() as session:
            return bool(session.execute(_HAS_WORK).scalar())

    def _change(self) -> None:
        with self._database.transaction() as session:
            lost = 0
            if time.monotonic() > self._lenient_until:
                lost = shards.take_back(session, max_attempts=self._settings.max_attempts)
            endings.time_out(session)
            lifecycle.remove_expired(session)
            browser_sessions.remove_expired(session)
            offers.remove_lost(session)
            removing.remove_expired(session)
            # Last, so that the rows of the counters are locked for as short as possible.
            tallies.add(session, leases_lost=lost)

    def stop(self) -> None:
        """Stop, and wait up to 1 s for the current sweep, which may be blocked by an unavailable database."""
        self._stopped.set()
        self.join(timeout=1.0)
