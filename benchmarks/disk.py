"""Waits of other writers while a large job is deleted, and the length of SQLite's WAL while clients read."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from benchmarks import stored
from benchmarks.timing import Timer
from service.database.connection import Database
from service.database.metadata import METADATA
from service.database.tables import Job
from service.jobs import lifecycle, tallies
from service.jobs.owners import ANYBODY
from service.jobs.upkeep import Upkeep

# A deleted job of 3,000,000 rows.
NUM_RUNS, NUM_ROWS, NUM_COPIES = 100_000, 30, 20
# Two writers store 5,000,000 rows in four jobs, while clients poll and one exports.
NUM_READERS, WRITTEN_RUNS, WRITTEN_ROWS = 8, 1_000, 1_250
POLL_SECONDS, WATCH_SECONDS = 0.02, 0.02


def measure() -> dict[str, Any]:
    """Measure deletion on both databases, and the WAL."""
    figures: dict[str, Any] = {}
    for name, opened in stored.databases().items():
        with opened as database:
            figures |= _deletion(name, database)
    with stored.sqlite() as database:
        return figures | _wal(database)


def _deletion(name: str, database: Database) -> dict[str, Any]:
    jobs = [_large(database) for _ in range(2)]
    what = f"{name}: {NUM_RUNS * NUM_ROWS:,} rows deleted"
    figures = {}
    with _writers(database) as waits, Timer() as timer, database.transaction() as session:
        for table in ("metrics", "runs"):  # As one transaction.
            session.execute(text(f"DELETE FROM {table} WHERE job_key = :key"), {"key": jobs[0].key})
    figures[f"{what} at once (s)"] = timer.seconds
    figures[f"{what} at once, longest wait of another writer (ms)"] = 1_000 * max(waits)
    with _writers(database) as waits:
        with Timer() as answered, database.transaction() as session:
            lifecycle.remove(session, jobs[1].id, ANYBODY)
        with Timer() as timer:
            Upkeep(database, 1.0).once()
    figures[f"{what} in chunks, answer of DELETE (ms)"] = 1_000 * answered.seconds
    figures[f"{what} in chunks, until the space is returned (s)"] = timer.seconds
    figures[f"{what} in chunks, longest wait of another writer (ms)"] = 1_000 * max(waits)
    if database.file is not None:
        figures[f"{what}, size of the file before and after (MB)"] = database.file.stat().st_size / 1e6
    return figures


def _large(database: Database) -> Job:
    """Store a job, and multiply its rows in the database."""
    job = stored.write(database, stored.draw(NUM_ROWS, NUM_RUNS // NUM_COPIES)).job
    num_runs = NUM_RUNS // NUM_COPIES
    for copy in range(1, NUM_COPIES):
        with database.transaction() as session:
            for table, index in (("metrics", "run_index"), ("runs", '"index"')):
                names = [f'"{column.name}"' for column in METADATA.tables[table].columns]
                shown = [
                    f"{name} + {copy * num_runs}" if name.strip('"') == index.strip('"') else name for name in names
                ]
                session.execute(
                    text(
                        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(shown)} FROM {table} "
                        f"WHERE job_key = {job.key} AND {index} < {num_runs}"
                    )
                )
    return job


@contextmanager
def _writers(database: Database) -> Iterator[list[float]]:
    """Store a counter again and again, with the connections of this process and with others; give all waits."""
    waits: list[float] = [0.0]
    stopped = threading.Event()

    def write(into: Database) -> None:
        while not stopped.wait(0.005):
            with Timer() as timer, into.transaction() as session:
                tallies.add(session, rows=1)
            waits.append(timer.seconds)

    with closing(Database(database.url.render_as_string(hide_password=False))) as other:
        threads = [threading.Thread(target=write, args=(into,)) for into in (database, other)]
        for thread in threads:
            thread.start()
        try:
            yield waits
        finally:
            stopped.set()
            for thread in threads:
                thread.join()


def _wal(database: Database) -> dict[str, Any]:
    assert database.file is not None
    wal = Path(f"{database.file}-wal")
    job = stored.write(database, stored.draw(500, 1_000)).job
    stopped = threading.Event()
    waits: list[float] = []
    peak, size = 0, 0

    def read(path: str, pause: float) -> None:
        with httpx.Client(base_url=base_url, trust_env=False, timeout=60) as client:
            while not stopped.wait(pause):
                with Timer() as timer, client.stream("GET", path) as answer:
                    answer.raise_for_status()
                    for _ in answer.iter_raw():
                        if stopped.is_set():
                            break
                if pause:
                    waits.append(timer.seconds)

    with stored.api(database) as (client, _):
        base_url = client.base_url
        polled = [(f"/v1/jobs/{job.id}/runs?limit=20", POLL_SECONDS)] * NUM_READERS
        exported = [(f"/v1/jobs/{job.id}/metrics?format=csv", 0.0), (f"/v1/jobs/{job.id}/comparison", 0.0)]
        threads = [threading.Thread(target=read, args=one) for one in (*polled, *exported)]
        process = get_context("spawn").Process
        writers = [process(target=_write, args=(str(database.url), 2)) for _ in range(2)]
        with Timer() as timer:
            for thread in threads:
                thread.start()
            for writer in writers:
                writer.start()
            while any(writer.is_alive() for writer in writers):
                peak, size = max(peak, wal.stat().st_size), database.file.stat().st_size
                time.sleep(WATCH_SECONDS)
        stopped.set()
        for thread in threads:
            thread.join()
    waits.sort()
    what = f"SQLite: {4 * WRITTEN_RUNS * WRITTEN_ROWS:,} rows written while {NUM_READERS} clients poll and one exports"
    return {
        f"{what} (s)": timer.seconds,
        f"{what}, longest WAL (MB)": peak / 1e6,
        f"{what}, the file (MB)": size / 1e6,
        f"{what}, p99 of a poll (ms)": 1_000 * waits[int(0.99 * len(waits))],
    }


def _write(url: str, num_jobs: int) -> None:
    with closing(Database(url)) as database:
        values = stored.draw(WRITTEN_ROWS, WRITTEN_RUNS)
        for _ in range(num_jobs):
            stored.write(database, values)
