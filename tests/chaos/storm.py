"""A storm: many jobs during fault injection, each compared with the record of an undisturbed job."""

import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from service.database.connection import Database
from service.database.states import JOB_ENDED
from service.database.tables import Job, Shard
from service.jobs import lifecycle
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import price
from tests.chaos.blows import Blow, Hands
from tests.chaos.invariants import Record, Sighting, record_of, shards_of, violations
from tests.servers import Stack
from worker.engine.device import use_device
from worker.runner import train_shard

LOOK_SECONDS = 0.1
# Short, so that lost workers are detected fast.
ENV = {"RAVINE_LEASE_SECONDS": "3", "RAVINE_SWEEP_SECONDS": "0.5", "RAVINE_MAX_ATTEMPTS": "1000"}
LEASE_SECONDS = 3.0


@dataclass
class Report:
    """The executed blows, the violations and the figures of a storm."""

    violations: list[str] = field(default_factory=list)
    blows: Counter[str] = field(default_factory=Counter)
    figures: dict[str, float] = field(default_factory=dict)


class Watcher(threading.Thread):
    """Polls all jobs, and records each change."""

    def __init__(self, database: Database) -> None:
        super().__init__(name="watcher", daemon=True)
        self.seen: dict[str, list[Sighting]] = {}
        self._database, self._stopped = database, threading.Event()

    def run(self) -> None:
        """Poll until stopped; if the database is unavailable, poll again."""
        while not self._stopped.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Poll once."""
        query = (
            select(Job.id, Job.status, func.sum(Shard.epochs_done).label("epochs"))
            .join(Shard, Shard.job_key == Job.key)
            .group_by(Job.key)
        )
        try:
            with self._database.snapshot() as session:
                found = session.execute(query).all()
        except OperationalError:
            return
        for row in found:
            sightings, now = self.seen.setdefault(row.id, []), Sighting(row.status, int(row.epochs))
            if not sightings or sightings[-1] != now:
                sightings.append(now)

    @property
    def num_ended(self) -> int:
        """Count the jobs that have ended."""
        return sum(sightings[-1].status in JOB_ENDED for sightings in list(self.seen.values()))

    def stop(self) -> None:
        """Stop after a last poll."""
        self._stopped.set()
        self.join()
        self.look()


def undisturbed(database: Database, spec: dict[str, Any]) -> Record:
    """Train a job in this process, on a database without workers."""
    use_device("cpu")  # As in a worker: with two threads convolutions add in another order.
    parsed = JobSpec.model_validate(spec)
    cost = price(parsed)
    with database.transaction() as session:
        job, _ = lifecycle.create(session, parsed, cost)
    # A job that decides queues further shards.
    for number in itertools.count():
        train_shard(database, Settings(), job.key, number)
        with database.snapshot() as session:
            if session.get_one(Job, job.key).status in JOB_ENDED:
                break
    record = record_of(database, job.id)
    assert record is not None
    assert record.status == "completed"
    return record


def storm(
    stack: Stack,
    hands: Hands,
    blows: list[Blow],
    specs: list[dict[str, Any]],
    expected: list[Record],
    *,
    num_jobs: int,
    deadline_seconds: float,
) -> Report:
    """Post jobs with the specs in turn during the blows, wait for all, and compare each with its expected record."""
    report, started = Report(), time.monotonic()
    database = Database(stack.database_url)
    watcher = Watcher(database)
    watcher.start()
    posted: list[str] = []
    poster = threading.Thread(target=_post, args=(stack, specs, num_jobs, posted, started + deadline_seconds))
    poster.start()
    for blow in blows:
        time.sleep(blow.pause_seconds)
        if hands.strike(blow):
            report.blows[blow.kind] += 1
    last_blow = time.monotonic()
    poster.join()
    while watcher.num_ended < num_jobs and time.monotonic() - started < deadline_seconds:
        time.sleep(LOOK_SECONDS)
    watcher.stop()
    ended = time.monotonic()
    if len(set(posted)) != num_jobs or len(watcher.seen) != num_jobs:
        report.violations.append(f"of {num_jobs} jobs {len(set(posted))} were accepted and {len(watcher.seen)} exist")
    attempts = rows = shards = 0
    for number, job_id in enumerate(posted):
        found = record_of(database, job_id)
        should_be = expected[number % len(specs)]
        report.violations += [f"job {number}: {wrong}" for wrong in violations(should_be, found, watcher.seen[job_id])]
        rows += len(found.rows) if found else 0
        of_shards = shards_of(database, job_id)
        attempts, shards = attempts + sum(of_shards), shards + len(of_shards)
    report.figures = {
        "jobs": num_jobs,
        "jobs that ended": watcher.num_ended,
        "metric rows compared": rows,
        "blows": report.blows.total(),
        "attempts beyond the first": attempts - shards,
        "seconds": ended - started,
        "seconds after the last blow": ended - last_blow,
    }
    database.close()
    return report


def _post(stack: Stack, specs: list[dict[str, Any]], num_jobs: int, posted: list[str], deadline: float) -> None:
    """Post each job with an idempotency key, and repeat the request until it is accepted."""
    with httpx.Client(base_url=stack.url, timeout=5.0, trust_env=False) as client:
        for number in range(num_jobs):
            while time.monotonic() < deadline:
                try:
                    spec, key = specs[number % len(specs)], {"Idempotency-Key": f"storm {number}"}
                    answer = client.post("/v1/jobs", json=spec, headers=key)
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.status_code == 202:
                    posted.append(answer.json()["id"])
                    break
                assert answer is None or answer.status_code == 503, answer.text
                time.sleep(0.2)
