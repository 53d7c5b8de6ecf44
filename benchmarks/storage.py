"""Rates of writing, reading and exporting histories, and bytes on disk, on both databases."""

import random
import statistics
from typing import Any

import httpx
from sqlalchemy import text

from benchmarks import stored
from benchmarks.memory import Watch
from benchmarks.timing import Timer, processor_seconds
from service.database.connection import Database
from service.database.ids import run_id
from service.database.metadata import METADATA
from service.database.tables import Job

# 20 jobs of 1,000 runs of 1,000 rows. The first is stored as by a worker and gives the rate of writing. The others are
# copies of its rows, made in the database.
NUM_JOBS, NUM_RUNS, NUM_ROWS = 20, 1_000, 1_000
NUM_READS = 200


def measure() -> dict[str, Any]:
    """Measure both databases."""
    figures: dict[str, Any] = {}
    for name, opened in stored.databases().items():
        with opened as database:
            written = stored.write(database, stored.draw(NUM_ROWS, NUM_RUNS))
            rows = NUM_RUNS * NUM_ROWS
            figures[f"{name}: values written per second"] = written.num_values / written.seconds
            figures[f"{name}: bytes on disk per row of 8 fields, as written"] = _bytes(database) / rows
            with stored.api(database) as (client, pid):
                figures |= _exports(name, client, pid, written.job)
            with Timer() as timer:
                ids = [written.job.id, *_copies(database)]
            figures[f"{name}: 20,000,000 rows loaded (s)"] = timer.seconds
            figures[f"{name}: bytes on disk per row of 8 fields, of 20,000,000"] = _bytes(database) / rows / NUM_JOBS
            with stored.api(database) as (client, pid):
                figures |= _histories(name, client, pid, ids)
    with stored.sqlite() as database:
        job = stored.write(database, stored.draw(NUM_RUNS * NUM_ROWS, 1)).job
        with stored.api(database) as (client, pid):
            figures |= _long(client, pid, job)
    return figures


def _copies(database: Database) -> list[str]:
    """Copy the first job with all its rows, in their order."""
    ids = []
    for number in range(1, NUM_JOBS):
        ids.append(f"{number:08x}-0000-7000-8000-000000000000")
        with database.transaction() as session:
            for table in ("jobs", "shards", "runs", "metrics"):
                columns = [f'"{column.name}"' for column in METADATA.tables[table].columns]
                key, *rest = columns
                shown = [":id" if column == '"id"' else column for column in rest]
                order = "ORDER BY job_key, run_index, epoch" if table == "metrics" else ""
                copy = text(
                    f"INSERT INTO {table} ({', '.join(columns)}) SELECT {number + 1}, {', '.join(shown)} FROM {table} "
                    f"WHERE {key} = 1 {order}"
                )
                session.execute(copy, {"id": ids[-1]} if table == "jobs" else {})
    if not database.file:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE metrics"))
    return ids


def _bytes(database: Database) -> int:
    """Give the bytes of the table of rows with its indexes; on SQLite, of the whole file."""
    with database.snapshot() as session:
        if not database.file:
            return int(session.execute(text("SELECT pg_total_relation_size('metrics')")).scalar_one())
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        return int(pages) * int(session.execute(text("PRAGMA page_size")).scalar_one())


def _exports(name: str, client: httpx.Client, pid: int, job: Job) -> dict[str, Any]:
    """Read a million rows in every format, and measure the growth of the API process."""
    figures: dict[str, Any] = {}
    here = f"/v1/jobs/{job.id}/metrics?fields={','.join(stored.FIELDS)}"
    for kind in ("json", "csv", "ndjson", "parquet"):
        with Watch([pid]) as watch, Timer() as timer:
            cursor: str | None = ""
            while cursor is not None:
                address = f"{here}&limit=500&cursor={cursor}" if cursor else f"{here}&limit=500"
                with client.stream("GET", f"{address}&format={kind}") as answer:
                    answer.raise_for_status()
                    last = b""
                    for piece in answer.iter_raw():
                        last = (last + piece)[-200:]
                cursor = _next(last) if kind == "json" else None
        what = f"{name}: 1,000,000 rows as {kind}"
        figures[f"{what}, values per second"] = NUM_RUNS * NUM_ROWS * len(stored.FIELDS) / timer.seconds
        figures[f"{what}, growth of the API (MB)"] = watch.growth / 1e6
    return figures


def _long(client: httpx.Client, pid: int, job: Job) -> dict[str, Any]:
    """Read one run of a million rows as JSON."""
    path = f"/v1/runs/{run_id(job.id, 0)}/metrics?fields={','.join(stored.FIELDS)}"
    with Timer() as timer, Watch([pid]) as watch, client.stream("GET", path) as answer:
        answer.raise_for_status()
        for _ in answer.iter_raw():
            pass
    what = "SQLite: one run of 1,000,000 rows as json"
    return {
        f"{what}, values per second": NUM_RUNS * NUM_ROWS * len(stored.FIELDS) / timer.seconds,
        f"{what}, growth of the API (MB)": watch.growth / 1e6,
    }


def _next(end: bytes) -> str | None:
    """Find the cursor of the next page at the end of a page."""
    written = end.rpartition(b'"next":')[2].rstrip(b"}")
    return None if written == b"null" else written.strip(b'"').decode()


def _histories(name: str, client: httpx.Client, pid: int, ids: list[str]) -> dict[str, Any]:
    draw, times, worked = random.Random(0), [], processor_seconds(pid)
    for _ in range(NUM_READS):
        path = f"/v1/runs/{run_id(draw.choice(ids), draw.randrange(NUM_RUNS))}/metrics"
        with Timer() as timer:
            answer = client.get(path, params={"fields": ",".join(stored.FIELDS)}).raise_for_status()
        times.append(timer.seconds)
        assert answer.content.endswith(b'"total_points":1000,"returned_points":1000,"next":null}')
    what = f"{name}: one run's 1,000 rows among 20,000,000"
    return {
        f"{what}, median (ms)": 1_000 * statistics.median(times),
        f"{what}, p95 (ms)": 1_000 * statistics.quantiles(times, n=20)[-1],
        f"{what}, the API's work (ms)": 1_000 * (processor_seconds(pid) - worked) / NUM_READS,
    }
