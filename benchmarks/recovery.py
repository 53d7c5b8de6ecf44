"""Seconds without progress of a job after its worker was killed or stopped, with default settings, on SQLite."""

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import select

from benchmarks.memory import is_host, training_processes
from benchmarks.timing import Timer, processor_seconds, wait_until
from service.cli.local.commands import BATCH, worker_command
from service.cli.local.stack import LocalStack
from service.cli.local.supervisor import Supervisor
from service.database.connection import Database
from service.database.tables import Job, Shard

# Minutes of work in epochs of 1 ms, so that the progress shows the time of continuation.
SPEC = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.01, "momentum": [0.5, 0.9]}],
    "epochs": 1_000_000,
    "record_every": 100_000,
}
POLL_SECONDS = 0.02
DEADLINE_SECONDS = 120.0
REPEATS = 3


def measure() -> dict[str, Any]:
    """Measure from the signal until more epochs are stored than before it; medians."""
    signals = {"kill -9 of the process that trains": signal.SIGKILL, "SIGTERM to its worker": signal.SIGTERM}
    return {
        f"{what}, until another one trains, median of {REPEATS} (s)": statistics.median(
            _seconds(number) for _ in range(REPEATS)
        )
        for what, number in signals.items()
    }


def _seconds(number: signal.Signals) -> float:
    with ExitStack() as open_things:
        folder = Path(open_things.enter_context(tempfile.TemporaryDirectory())).resolve()
        stack = open_things.enter_context(LocalStack(folder, workers=1))
        client = open_things.enter_context(httpx.Client(base_url=stack.url, timeout=30, trust_env=False))
        database = open_things.enter_context(closing(Database(f"sqlite:///{folder / 'ravine.db'}")))
        # A second worker, which continues the job without waiting for the restart of the killed process.
        second = Supervisor(folder)
        open_things.callback(second.stop)
        second.run("second", worker_command("second", BATCH, 1), env=_environment())
        # Each worker has started one job; one of the jobs is then cancelled, so that a loaded worker is free.
        job_id, other = (client.post("/v1/jobs", json=SPEC).raise_for_status().json()["id"] for _ in range(2))
        _wait(lambda: _shard(database, job_id).epoch > 0 and _shard(database, other).epoch > 0)
        client.post(f"/v1/jobs/{other}/cancel").raise_for_status()
        _wait(lambda: client.get(f"/v1/jobs/{other}").json()["status"] == "cancelled")
        child = _busiest()
        with Timer() as timer:
            attempt = _shard(database, job_id).attempt
            (child if number == signal.SIGKILL else child.parent()).send_signal(number)
            _wait(lambda: _shard(database, job_id).attempt > attempt)
            stored = _shard(database, job_id).epoch
            _wait(lambda: _shard(database, job_id).epoch > stored)
        client.post(f"/v1/jobs/{job_id}/cancel").raise_for_status()
        return timer.seconds


def _environment() -> dict[str, str]:
    """Give the environment of a worker of the stack."""
    worker = next(process for process in psutil.Process().children(recursive=True) if is_host(process))
    return {name: value for name, value in worker.environ().items() if name.startswith("RAVINE_")}


def _shard(database: Database, job_id: str) -> Any:
    with database.snapshot() as session:
        query = select(Shard.epoch, Shard.attempt).join(Job, Job.key == Shard.job_key).where(Job.id == job_id)
        return session.execute(query).one()


def _busiest() -> psutil.Process:
    """Give the training process below this one with the highest processor load."""
    training = training_processes(os.getpid())
    before = {process: processor_seconds(process.pid) for process in training}
    time.sleep(1.0)
    return max(training, key=lambda process: processor_seconds(process.pid) - before[process])


def _wait(condition: Callable[[], bool]) -> None:
    wait_until(condition, "the job did not go on", deadline_seconds=DEADLINE_SECONDS, poll_seconds=POLL_SECONDS)
