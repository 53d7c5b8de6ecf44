"""What does the database know of the work, for Prometheus: queues, jobs, and what all workers have done so far?

Workers come and go, and each has several processes: none could be asked for its counts. They add to the tallies, in the
transactions that store what they count, so that a chunk counts exactly once, whoever stored it, and neither a restart
nor the deletion of a job takes anything away. Every API process reads the same numbers there.
"""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from service.database.connection import Database
from service.database.states import JobStatus, ShardStatus
from service.database.tables import Job, Shard, Tally
from service.jobs.tallies import TALLIES

# Several servers may scrape, and one may be misconfigured: the tables are read once a second at most.
FRESH_SECONDS = 1.0
_OPEN = (ShardStatus.QUEUED, ShardStatus.RUNNING)


class Work(Collector):
    """Reads the tables when it is scraped. While the database is away, `ravine_database_up` is 0 and alone."""

    def __init__(self, database: Database, queues: tuple[str, ...]) -> None:
        self._database, self._queues = database, queues
        self._lock = threading.Lock()
        self._read_at, self._last = float("-inf"), list[Metric]()

    def describe(self) -> list[Metric]:
        """Say nothing before the first scrape: the database may be away."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give the metrics, read at most a second ago."""
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_SECONDS:
                up = GaugeMetricFamily("ravine_database_up", "1 while the database answers.")
                try:
                    self._last = [*self._read(), up]
                    up.add_metric([], 1)
                except SQLAlchemyError:
                    self._last = [up]
                    up.add_metric([], 0)
                self._read_at = time.monotonic()
            yield from self._last

    def _read(self) -> list[Metric]:
        shards = GaugeMetricFamily("ravine_shards", "Shards that wait or train, by queue.", labels=["queue", "status"])
        oldest = GaugeMetricFamily(
            "ravine_oldest_queued_shard_age_seconds",
            "Time since the oldest job was accepted of which a shard waits in this queue; 0 where none does.",
            labels=["queue"],
        )
        jobs = GaugeMetricFamily("ravine_jobs", "Jobs that are stored, by status.", labels=["status"])
        with self._database.snapshot() as session:
            waiting = session.execute(
                select(Shard.queue, Shard.status, func.count().label("num"), func.min(Job.created_at).label("oldest"))
                .join(Job, Job.key == Shard.job_key)
                .where(Shard.status.in_(_OPEN))
                .group_by(Shard.queue, Shard.status)
            ).all()
            stored = session.execute(select(Job.status, func.count().label("num")).group_by(Job.status)).all()
            counted = session.execute(select(Tally.name, func.sum(Tally.value).label("num")).group_by(Tally.name)).all()
        by_status = {row.status: row.num for row in stored}
        done = {row.name: row.num for row in counted}
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
            CounterMetricFamily(f"ravine_{name}", meaning, value=float(done.get(name, 0)))
            for name, meaning in TALLIES.items()
        ]
        return [shards, oldest, jobs, *counters]
