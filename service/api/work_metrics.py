"""Prometheus metrics of the work in the database: queues, jobs, and counters shared by all workers.

Workers cannot be scraped: they start and stop, and each has several processes. They add to counters in the database,
in the transaction that stores the counted rows. A chunk therefore counts exactly once, and neither a restart nor the
deletion of a job lowers a counter. Every API process reads the same values.
"""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from service.database.connection import Database
from service.database.states import JobStatus, ShardStatus
from service.database.tables import SHARD_IS_QUEUED, SHARD_IS_RUNNING, Job, Shard, Tally
from service.jobs.tallies import TALLIES

# The tables are read at most once per second, however often and by however many servers the process is scraped.
CACHE_SECONDS = 1.0
_OPEN = (ShardStatus.QUEUED, ShardStatus.RUNNING)


class WorkMetrics(Collector):
    """Reads the tables during a scrape. If the database is unavailable, ``ravine_database_up`` is the only metric."""

    def __init__(self, database: Database, queues: tuple[str, ...]) -> None:
        self._database, self._queues = database, queues
        self._lock = threading.Lock()
        self._read_at, self._last = float("-inf"), list[Metric]()

    def describe(self) -> list[Metric]:
        """Describe nothing at registration, when the database may be unavailable."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give the metrics, read at most one second ago."""
        with self._lock:
            if time.monotonic() - self._read_at >= CACHE_SECONDS:
                up = GaugeMetricFamily("ravine_database_up", "1 if the database answers, else 0.")
                try:
                    self._last = [*self._read(), up]
                    up.add_metric([], 1)
                except SQLAlchemyError:
                    self._last = [up]
                    up.add_metric([], 0)
                self._read_at = time.monotonic()
            yield from self._last

    def _read(self) -> list[Metric]:
        shards = GaugeMetricFamily(
            "ravine_shards", "Shards that are queued or running, by queue.", labels=["queue", "status"]
        )
        oldest = GaugeMetricFamily(
            "ravine_oldest_queued_shard_age_seconds",
            "Age of the oldest job with a queued shard in this queue, in seconds; 0 if no shard is queued.",
            labels=["queue"],
        )
        jobs = GaugeMetricFamily("ravine_jobs", "Stored jobs by status.", labels=["status"])
        with self._database.snapshot() as session:
            waiting = session.execute(
                select(Shard.queue, Shard.status, func.count().label("num"), func.min(Job.created_at).label("oldest"))
                .join(Job, Job.key == Shard.job_key)
                .where(or_(SHARD_IS_QUEUED, SHARD_IS_RUNNING))
                .group_by(Shard.queue, Shard.status)
            ).all()
            stored = session.execute(select(Job.status, func.count().label("num")).group_by(Job.status)).all()
            counted = session.execute(select(Tally.name, func.sum(Tally.value).label("num")).group_by(Tally.name)).all()
        by_status = {row.status: row.num for row in stored}
        counts = {row.name: row.num for row in counted}
        found = {(row.queue, row.status): row for row in waiting}
        for queue in self._queues:
            for status in _OPEN:
                row = found.get((queue, status))
                shards.add_metric([queue, status], row.num if row else 0)
                if status is ShardStatus.QUEUED:
                    age = (datetime.now(UTC) - row.oldest).total_seconds() if row else 0.0
                    oldest.add_metric([queue], max(age, 0.0))
        for job_status in JobStatus:
            jobs.add_metric([job_status], by_status.get(job_status, 0))
        counters = [
            CounterMetricFamily(f"ravine_{name}", meaning, value=float(counts.get(name, 0)))
            for name, meaning in TALLIES.items()
        ]
        return [shards, oldest, jobs, *counters]
