"""A stack for fault injection, with a separate database server and broker, short leases, and a wrong clock."""

import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import select

from service.database.connection import Database
from service.database.migrations import migrate
from service.database.tables import Job, Shard
from tests.chaos.blows import children
from tests.chaos.invariants import Record
from tests.chaos.specs import LONG, SMALL
from tests.chaos.storm import undisturbed
from tests.postgres import Postgres
from tests.servers import POLL_SECONDS, Broker, Stack, wait_for_job

# `make chaos` tests every fault on both databases; the suite tests storms on both, and each single fault on one.
DATABASES = ["sqlite", "postgresql"] if "RAVINE_CHAOS" in os.environ else None
LEASE_SECONDS = 3.0
# Words that Celery logs when it receives a task, and when the task has ended.
WORDS = "received", "succeeded"
SWEEP_SECONDS = 0.5
# Imported by Python at its start: sets the clock of Celery and Ravine one hour ahead. datetime is not changed, because
# extensions depend on the layout of its classes.
WRONG_CLOCK = """
import time

_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + 3_600
time.time_ns = lambda: _time_ns() + 3_600 * 10**9
"""


@dataclass
class Fragile:
    """A stack with its broker and database, and access to its rows."""

    stack: Stack
    client: httpx.Client
    broker: Broker
    postgres: Postgres | None
    database: Database

    def post(self, spec: dict[str, Any]) -> str:
        answer = self.client.post("/v1/jobs", json=spec)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/v1/jobs/{job_id}").raise_for_status().json()
        return found

    def shard(self, job_id: str) -> Any:
        """The first shard of a job: status, attempt, lost, epoch, lease_until."""
        with self.database.snapshot() as session:
            return (
                session.execute(select(Shard).join(Job, Job.key == Shard.job_key).where(Job.id == job_id))
                .scalars()
                .first()
            )

    def workers(self) -> dict[str, int]:
        """The hosts of the workers, by name."""
        pids = {name: process.pid for name, process in self.stack.processes.items() if name.startswith("batch")}
        return {name: pid for name, pid in pids.items() if pid is not None}

    def trainer(self) -> tuple[str, int]:
        """The name of the only worker with a task, and its training process."""

        def has_a_task(name: str) -> bool:
            lines = list(self.stack.processes[name].tail)
            received, ended = (re.findall(rf"train_shard\[(\S+)\] {word}", "\n".join(lines)) for word in WORDS)
            return bool(set(received) - set(ended))

        busy: list[str] = []

        def one_is_busy() -> bool:
            busy[:] = [name for name in self.workers() if has_a_task(name)]
            return len(busy) == 1

        self.wait(one_is_busy, 20, "one worker has a task")
        (child,) = children([self.workers()[busy[0]]])
        return busy[0], child

    @contextmanager
    def suspended(self, pid: int) -> Iterator[None]:
        """A process is stopped during the block, at a moment when it holds no lock on an SQLite database."""
        process = psutil.Process(pid)
        process.suspend()
        try:
            while self._sqlite_is_locked():
                process.resume()
                time.sleep(POLL_SECONDS)
                process.suspend()
            yield
        finally:
            process.resume()

    def _sqlite_is_locked(self) -> bool:
        """Whether a process holds the write lock longer than a transaction takes; one that is stopped keeps it."""
        if self.postgres:
            return False
        connection = sqlite3.connect(str(self.database.engine.url.database), timeout=2.0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        finally:
            connection.close()
        return False

    def wait(self, condition: Callable[[], object], seconds: float, what: str) -> float:
        """Wait until a condition is true, and give the seconds that it took."""
        started = time.monotonic()
        while not condition():
            assert time.monotonic() - started < seconds, f"after {seconds:g} s it is not true that {what}"
            time.sleep(POLL_SECONDS)
        return time.monotonic() - started

    def wait_until_running(self, job_id: str, epoch: int = 0) -> None:
        self.wait(lambda: self.shard(job_id).status == "running", 60, "a worker has claimed it")
        self.wait(lambda: self.shard(job_id).epoch >= epoch, 60, f"epoch {epoch} is stored")

    def wait_until_workers_are_up(self) -> None:
        """Wait until both workers have a training process; after a kill it takes a moment."""

        def both_are_up() -> bool:
            workers = self.workers()
            return len(workers) == 2 and all(children([pid]) for pid in workers.values())

        self.wait(both_are_up, 60, "both workers are up")
        # A process may still be connecting to the broker.
        assert wait_for_job(self.client, self.post(SMALL))["status"] == "completed"


def on(database: str) -> pytest.MarkDecorator:
    """Test the functions of a module on a database, or on both if so requested."""
    return pytest.mark.parametrize("fragile", DATABASES or [database], indirect=True)


@pytest.fixture(scope="session")
def fragile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fragile]:
    """A stack with two workers, one of which has a clock one hour ahead. Tests inject faults into it."""
    folder: Path = tmp_path_factory.mktemp(f"fragile-{request.param}")
    (folder / "clock").mkdir()
    (folder / "clock" / "sitecustomize.py").write_text(WRONG_CLOCK)
    root = Path(__file__).parent.parent.parent
    postgres = Postgres() if request.param == "postgresql" else None
    url = postgres.create_database() if postgres else f"sqlite:///{folder / 'fragile.db'}"
    migrate(url)
    broker = Broker(folder)
    env = {
        "RAVINE_LEASE_SECONDS": str(LEASE_SECONDS),
        "RAVINE_SWEEP_SECONDS": str(SWEEP_SECONDS),
        "RAVINE_OPTIMIZERS": "lion2=pytorch_optimizer:Lion",
    }
    workers = {"batch": {}, "batch-ahead": {"PYTHONPATH": f"{folder / 'clock'}:{root}"}}
    database = Database(url)
    with Stack(url, broker.new_url(), folder, batch_workers=workers, env=env) as stack, stack.client() as client:
        yield Fragile(stack, client, broker, postgres, database)
    database.close()
    broker.stop()
    if postgres:
        postgres.stop()


@pytest.fixture(scope="session")
def quietly(new_database: Callable[[str], str]) -> Iterator[Callable[[dict[str, Any]], Record]]:
    """A function that gives the record of an undisturbed worker for a spec. It is the same on all databases."""
    database, known = Database(new_database("sqlite")), dict[str, Record]()

    def train(spec: dict[str, Any]) -> Record:
        name = json.dumps(spec)
        if name not in known:
            known[name] = undisturbed(database, spec)
        return known[name]

    yield train
    database.close()


@pytest.fixture(scope="session")
def expected(quietly: Callable[[dict[str, Any]], Record]) -> Record:
    """The record of an undisturbed worker for LONG."""
    return quietly(LONG)
