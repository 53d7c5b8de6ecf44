"""Processor time of one job, epoch, row and request by process, and the sustained rate of small jobs, on PostgreSQL.

Processor time depends less on other load of the machine than elapsed time. One API process and two training processes
run; the clients share the machine.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from sqlalchemy import text

from benchmarks import proxied, queueing, retention
from benchmarks.jobs import SMALL
from benchmarks.timing import Timer, wait_until
from service.database.connection import Database
from service.database.migrations import migrate
from tests.postgres import Postgres
from tests.servers import Broker, Stack

NUM_WORKERS = 2
NUM_JOBS, NUM_REQUESTS = 150, 500
# Duration of the measurement of idle processes, whose processor time is subtracted from all costs.
IDLE_SECONDS = 10.0
# Shares of the rate of the burst, in the order in which they are tried for a minute, until one can be sustained.
SHARES = (0.85, 0.7, 0.55)
SUSTAINED_SECONDS = 60.0
DEADLINE_SECONDS = 300.0
JOBS_PER_DAY = 1_000_000
RUNS, EPOCHS = 1_000, 300
SWEEP = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.01}],
    "seeds": {"count": RUNS},
    "epochs": EPOCHS,
}


class Bench:
    """A running service, its database, and the processor time of its processes."""

    def __init__(self, stack: Stack, client: httpx.Client, database: Database) -> None:
        self.client, self.database = client, database
        backend = self.value("SELECT pg_backend_pid()")
        self._roots = {
            "API": [stack.processes["api"].pid],
            "workers": [stack.processes["workers"].pid],
            "PostgreSQL": [psutil.Process(int(backend)).ppid()],
        }
        self.idle = dict.fromkeys(self._roots, 0.0)

    def value(self, statement: str) -> float:
        """Read one number from the database."""
        with self.database.snapshot() as session:
            return float(session.execute(text(statement)).scalar_one())

    def worked(self) -> dict[str, float]:
        """Give the processor time of each process so far, in seconds."""
        return {name: sum(map(_cpu_seconds, pids)) for name, pids in self._roots.items()}

    def cost(self, work: Callable[[], object]) -> dict[str, float]:
        """Give the processor time of some work by process, minus that of idle processes."""
        before = self.worked()
        with Timer() as timer:
            work()
        after = self.worked()
        return {name: after[name] - before[name] - self.idle[name] * timer.seconds for name in after}

    def post(self, spec: dict[str, Any]) -> str:
        """Post a job and give its id."""
        return str(self.client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])

    def finish(self) -> None:
        """Wait until no job is open."""
        wait_until(
            lambda: self.value("SELECT count(*) FROM jobs WHERE finished_at IS NULL") == 0,
            "jobs did not end",
            deadline_seconds=DEADLINE_SECONDS,
            poll_seconds=0.1,
        )


def measure() -> dict[str, Any]:
    """Measure the costs, the highest sustained rate, the deletion of old rows, and a second API."""
    with _bench() as bench:
        figures = costs(bench)
        burst_rate, between = burst(bench)
        figures |= {
            "burst: small jobs per second": burst_rate,
            "burst: between two jobs of a worker (ms)": 1_000 * between,
        }
        for share in SHARES:
            rate = share * burst_rate
            found, holds = sustained(bench, rate, between)
            figures |= {f"{rate:.1f} small jobs a second: {what}": value for what, value in found.items()}
            if holds:
                break
        worked = figures["a small job, accepted and trained (ms), workers"] / 1_000
        figures |= forecast(worked + between)
    return figures | retention.measure() | proxied.measure()


def costs(bench: Bench) -> dict[str, Any]:
    """Give the processor time of each kind of work, by process."""
    job_id = [bench.post(SMALL) for _ in range(20)][-1]
    bench.finish()
    bench.idle = {who: seconds / IDLE_SECONDS for who, seconds in bench.cost(lambda: time.sleep(IDLE_SECONDS)).items()}

    def small_jobs() -> None:
        for _ in range(NUM_JOBS):
            bench.post(SMALL)
        bench.finish()

    def ask(path: str) -> None:
        for _ in range(NUM_REQUESTS):
            bench.client.get(path).raise_for_status()

    def sweep(record_every: int) -> None:
        bench.post({**SWEEP, "record_every": record_every})
        bench.finish()

    found = {
        "a small job, accepted and trained (ms)": (bench.cost(small_jobs), 1e3 / NUM_JOBS),
        "a status (ms)": (bench.cost(lambda: ask(f"/v1/jobs/{job_id}")), 1e3 / NUM_REQUESTS),
        "a small job's histories (ms)": (bench.cost(lambda: ask(f"/v1/jobs/{job_id}/metrics")), 1e3 / NUM_REQUESTS),
    }
    sweep(EPOCHS)
    few = bench.cost(lambda: sweep(EPOCHS))
    size = bench.value("SELECT pg_total_relation_size('metrics')")
    all_rows = bench.cost(lambda: sweep(1))
    size = bench.value("SELECT pg_total_relation_size('metrics')") - size
    more = {who: all_rows[who] - few[who] for who in few}
    found["an epoch of a run of FlipNet (µs)"] = (few, 1e6 / RUNS / EPOCHS)
    found["a row, trained and stored, less the epoch (µs)"] = (more, 1e6 / RUNS / (EPOCHS - 1))
    return {
        **{f"nothing to do (share of a core), {who}": share for who, share in bench.idle.items()},
        **{f"{what}, {who}": scale * seconds for what, (cost, scale) in found.items() for who, seconds in cost.items()},
        "a row, bytes in PostgreSQL with its index": size / RUNS / (EPOCHS - 1),
    }


def burst(bench: Bench) -> tuple[float, float]:
    """Post so many jobs that workers never wait; give jobs per second, and a worker's pause between jobs (s)."""
    first = bench.value("SELECT max(key) FROM jobs")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bench.post(SMALL), range(NUM_JOBS)))
    bench.finish()
    _, started_N, finished_N = _times(bench, first)
    # Only the last three quarters count, because the first jobs are trained while others are still posted.
    late = np.argsort(started_N)[NUM_JOBS // 4 :]
    trained_N = finished_N[late] - started_N[late]
    rate = len(late) / (finished_N[late].max() - started_N[late].min())
    # The part of a worker's time without training: acknowledgement and fetching.
    return rate, max(0.0, NUM_WORKERS / rate - float(trained_N.mean()))


def sustained(bench: Bench, rate: float, between: float) -> tuple[dict[str, Any], bool]:
    """Post at a rate for a minute; give measured and simulated waiting times, and whether the rate was sustained."""
    first = bench.value("SELECT max(key) FROM jobs")
    planned_N = queueing.poisson(rate, round(rate * SUSTAINED_SECONDS), np.random.default_rng(0))
    with Timer() as timer, ThreadPoolExecutor(16) as pool:
        for planned in planned_N:
            time.sleep(max(0.0, planned - timer.seconds))
            pool.submit(bench.post, SMALL)
    bench.finish()
    created_N, started_N, finished_N = _times(bench, first)
    assert len(created_N) == len(planned_N), "jobs were refused"
    waited_N = started_N - created_N
    occupied_N = finished_N - started_N + between
    simulated_N = queueing.waits(created_N, occupied_N, NUM_WORKERS)
    edges = created_N.min() + np.linspace(0, created_N.max() - created_N.min(), 61)
    open_T = np.array([((created_N <= edge) & (finished_N > edge)).sum() for edge in edges])
    middle, last = open_T[20:40].mean(), open_T[41:].mean()
    found = {
        "accepted per second": len(created_N) / (created_N.max() - created_N.min()),
        "open jobs, second third": middle,
        "open jobs, last third": last,
        "wait, median (ms)": 1_000 * float(np.median(waited_N)),
        "wait, p95 (ms)": 1_000 * float(np.quantile(waited_N, 0.95)),
        "wait simulated, median (ms)": 1_000 * float(np.median(simulated_N)),
        "wait simulated, p95 (ms)": 1_000 * float(np.quantile(simulated_N, 0.95)),
        "a job keeps its worker, mean (ms)": 1_000 * float(occupied_N.mean()),
    }
    return found, bool(last <= 1.25 * middle + NUM_WORKERS)


def forecast(occupied: float) -> dict[str, Any]:
    """Simulate an hour at three times the mean rate of a day, with these training times (s) and a core per worker."""
    rate = 3 * JOBS_PER_DAY / 86_400
    least = int(rate * occupied) + 1
    found = queueing.p95_of_workers(rate, np.array([occupied]), range(least, least + 4), num=round(rate * 3_600))
    return {
        f"simulated, {rate:.1f} small jobs a second, {num} workers: wait, p95 (ms)": 1_000 * wait
        for num, wait in found.items()
    }


def _times(bench: Bench, after: float) -> tuple[queueing.Floats, queueing.Floats, queueing.Floats]:
    """Read the times of creation, start and end of jobs in seconds, in the order of creation."""
    statement = "SELECT extract(epoch FROM {}) FROM jobs WHERE key > :after ORDER BY created_at"
    with bench.database.snapshot() as session:
        created, started, finished = (
            np.array([float(row[0]) for row in session.execute(text(statement.format(name)), {"after": after})])
            for name in ("created_at", "started_at", "finished_at")
        )
    return created, started, finished


def _cpu_seconds(pid: int) -> float:
    """Add up the processor time of a process and its descendants; counters of parents include ended children."""
    root = psutil.Process(pid)
    times = root.cpu_times()
    alive = [process.cpu_times() for process in root.children(recursive=True)]
    return float(
        times.user + times.system + times.children_user + times.children_system + sum(t.user + t.system for t in alive)
    )


@contextmanager
def _bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="ravine-bench-") as folder:
        postgres, broker = Postgres(), Broker(Path(folder))
        try:
            url = postgres.create_database()
            migrate(url)
            with (
                Stack(url, broker.new_url(), Path(folder)) as stack,
                stack.client() as client,
                closing(Database(url)) as database,
            ):
                yield Bench(stack, client, database)
        finally:
            broker.stop()
            postgres.stop()
