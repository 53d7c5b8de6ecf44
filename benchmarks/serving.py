"""Rate of GET status, and time of a page of a list of 100,000 jobs, with one API process on SQLite.

The same process answers a constant before middleware and routing; plain requests for a status are answered nearly as
early. The difference of both rates is the cost of the log, of the checks of a status and of reading the job. Pages are
chosen at random.
"""

import json
import random
import statistics
import subprocess
import sys
from typing import Any

import httpx
from sqlalchemy import text

from benchmarks import stored
from benchmarks.constant import PATH
from benchmarks.timing import Timer, processor_seconds
from service.api.http.cursors import write_cursor
from service.database.connection import Database

NUM_JOBS = 100_000
# Rounds of each route; they alternate, so that other load of the machine affects both.
ROUNDS, ROUND_SECONDS = 5, 2.0
NUM_PAGES = 60
FILTERS: dict[str, dict[str, Any]] = {
    "no filter": {},
    "status, one job in two thousand": {"status": "failed"},
    "status, nearly all": {"status": "completed"},
    "status, none": {"status": "running"},
    "problem, a fifth": {"problem": "digits"},
    "name, all": {"name": "sweep"},
    "name, one": {"name": "number 4711 "},
    "name, none": {"name": "no such name"},
    "all three": {"status": "completed", "problem": "flipnet", "name": "number"},
}
# Copies of the first job; the last bits of an id are zero.
MORE_JOBS = """
INSERT INTO jobs (id, name, name_folded, problem, status, error_reason, spec, spec_digest, runs_total, epochs_total,
                  created_at, started_at, finished_at, receipt, owner, work)
WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < :num_jobs)
SELECT printf('%08x-0000-7000-8000-000000000000', n), 'Sweep number ' || n || ' of many',
       'sweep number ' || n || ' of many',
       CASE n % 5 WHEN 0 THEN 'flipnet' WHEN 1 THEN 'surface' WHEN 2 THEN 'quadratic' WHEN 3 THEN 'digits'
                  ELSE 'playground' END,
       CASE n % 2000 WHEN 0 THEN 'failed' ELSE 'completed' END, CASE n % 2000 WHEN 0 THEN 'training_error' END,
       spec, spec_digest, runs_total, epochs_total, created_at, started_at, finished_at, receipt, owner, work
FROM jobs, numbers WHERE key = 1
"""
MORE_SHARDS = """
INSERT INTO shards (job_key, number, first_run, num_runs, queue, status, attempt, lost, epoch, epochs_done, runs_ended,
                    runs_diverged)
SELECT jobs.key, number, first_run, num_runs, queue, shards.status, attempt, lost, epoch, epochs_done, runs_ended,
       runs_diverged
FROM shards, jobs WHERE job_key = 1 AND jobs.key > 1
"""


def measure() -> dict[str, Any]:
    """Measure statuses and lists."""
    with stored.sqlite() as database:
        job = stored.write(database, stored.draw(31, 20)).job
        _fill(database)
        with stored.api(database) as (client, pid):
            return _statuses(client, job.id) | _lists(client, pid)


def _fill(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text(MORE_JOBS), {"num_jobs": NUM_JOBS - 1})
        session.execute(text(MORE_SHARDS))


def _statuses(client: httpx.Client, job_id: str) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for num_clients in (1, 16):
        found: dict[str, list[dict[str, Any]]] = {PATH: [], f"/v1/jobs/{job_id}": []}
        for _ in range(ROUNDS):
            for path, polled in found.items():
                polled.append(_poll(client, path, num_clients))
        constant, status = (
            {name: statistics.median(one[name] for one in polled) for name in ("per_second", "p50")}
            for polled in found.values()
        )
        what = f"{num_clients} client{'s' if num_clients > 1 else ''}"
        figures[f"{what}: a constant, answers per second"] = constant["per_second"]
        figures[f"{what}: GET status, answers per second"] = status["per_second"]
        figures[f"{what}: GET status, share of the constant's (%)"] = 100 * statistics.median(
            one["per_second"] / other["per_second"] for other, one in zip(*found.values(), strict=True)
        )
        figures[f"{what}: GET status, median (ms)"] = status["p50"]
    return figures


def _poll(client: httpx.Client, path: str, num_clients: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.poller",
        str(client.base_url),
        str(num_clients),
        str(ROUND_SECONDS),
        "0",
    ]
    polled = json.loads(subprocess.run([*command, path], check=True, capture_output=True, text=True).stdout)
    assert set(polled["answers"]) == {"200"}, polled["answers"]
    return dict(polled)


def _lists(client: httpx.Client, pid: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    draw = random.Random(0)
    for name, query in FILTERS.items():
        times, worked = [], processor_seconds(pid)
        for _ in range(NUM_PAGES):
            place = {"cursor": write_cursor("jobs", draw.randint(1, NUM_JOBS))}
            with Timer() as timer:
                client.get("/v1/jobs", params=query | place).raise_for_status()
            times.append(timer.seconds)
        what = f"{NUM_JOBS:,} jobs, any page, {name}"
        figures[f"{what}, p95 (ms)"] = 1_000 * statistics.quantiles(times, n=20)[-1]
        figures[f"{what}, the API's work (ms)"] = 1_000 * (processor_seconds(pid) - worked) / NUM_PAGES
    return figures
