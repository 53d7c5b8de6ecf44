"""Time and memory of the service with 200 polling clients, 1,000 jobs at once, long histories, and under attack.

Each part starts an embedded stack with two workers for all jobs and one for small jobs.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from benchmarks import attacks
from benchmarks.embedded import embedded_stack
from benchmarks.jobs import SMALL, ended, post
from benchmarks.memory import Watch, service_processes
from benchmarks.timing import Timer, processor_seconds, wait_until

ENDED = {"completed", "failed", "cancelled"}
# 2 to 3 s of training and 150,000 rows.
SWEEP = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.05, "momentum": {"from": 0.0, "to": 0.99, "num": 1_000}}],
    "epochs": 1_500,
    "record_every": 10,
}
ONE_LONG_RUN = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": 0.001}],
    "epochs": 999_999,
}
LONG_RUNS = {**ONE_LONG_RUN, "seeds": {"count": 1_000}, "epochs": 999}


NUM_CLIENTS = 200
NUM_TRAINING = 20
POLL_SECONDS = 60.0
# Requests per second of all clients together; 0 for as many as they can send.
RATES = (1_000, 0)
POST_CONNECTIONS = 50


def measure() -> dict[str, Any]:
    """Run all parts, or those named in RAVINE_LOAD, each on a new stack."""
    named = os.environ.get("RAVINE_LOAD", ",".join([*PARTS, "attacks"])).split(",")
    figures: dict[str, Any] = {}
    for name in named:
        if name == "attacks":
            figures |= attacks.measure()
            continue
        with embedded_stack(workers=2) as client:
            ended(client, [post(client, SMALL)])
            figures |= PARTS[name](client)
    return figures


def polling(client: httpx.Client) -> dict[str, Any]:
    """Poll from many clients while jobs train: at a rate, and each client as soon as it has its answer."""
    return {what: value for rate in RATES for what, value in _polled(client, rate).items()}


def _polled(client: httpx.Client, rate: float) -> dict[str, Any]:
    job_ids = [post(client, SWEEP) for _ in range(NUM_TRAINING)]
    arguments = [str(client.base_url), str(NUM_CLIENTS), str(POLL_SECONDS), str(rate)]
    command = [sys.executable, "-m", "benchmarks.poller", *arguments]
    api, _ = service_processes(os.getpid())
    worked = -processor_seconds(*api)
    polled = json.loads(subprocess.run([*command, *job_ids], check=True, capture_output=True, text=True).stdout)
    worked += processor_seconds(*api)
    open_jobs = [job_id for job_id in job_ids if client.get(f"/v1/jobs/{job_id}").json()["status"] not in ENDED]
    for job_id in open_jobs:
        client.post(f"/v1/jobs/{job_id}/cancel")
    wait_until(
        lambda: all(client.get(f"/v1/jobs/{job_id}").json()["status"] in ENDED for job_id in open_jobs),
        "the jobs did not end",
        deadline_seconds=60,
        poll_seconds=0.2,
    )
    offered = f"{rate:,.0f} requests per second offered" if rate else "closed loop"
    what = f"{NUM_CLIENTS} clients poll, {NUM_TRAINING} jobs train, {offered}"
    return {
        f"{what}, GET status, median (ms)": polled["p50"],
        f"{what}, GET status, p99 (ms)": polled["p99"],
        f"{what}, GET status, slowest (ms)": polled["max"],
        f"{what}, answers per second": polled["per_second"],
        f"{what}, the API's work per answer (ms)": 1_000 * worked / sum(polled["answers"].values()),
        f"{what}, answers other than 200 and 304": sum(
            number for status, number in polled["answers"].items() if status not in {"200", "304"}
        ),
        f"{what}, jobs that ended meanwhile": NUM_TRAINING - len(open_jobs),
    }


def posts(client: httpx.Client, *, num_first: int = 100, num_jobs: int = 1_000) -> dict[str, Any]:
    """Post many small jobs at once, after some first ones with which the peak memory is compared."""
    api, training = service_processes(os.getpid())
    with Watch([*api, *training]) as first:
        _posted(client, num_first)
    with Watch([*api, *training]) as all_of_them:
        times, accepted, completed = _posted(client, num_jobs)
    largest = {name: max(pids, key=all_of_them.peaks.__getitem__) for name, pids in
               {"API": api, "worker": training}.items()}  # fmt: skip
    what = f"{num_jobs:,} jobs posted on {POST_CONNECTIONS} connections"
    return {
        f"{what}, POST, median (ms)": 1_000 * statistics.median(times),
        f"{what}, POST, p99 (ms)": 1_000 * statistics.quantiles(times, n=100, method="inclusive")[-1],
        f"{what}, all accepted (s)": accepted,
        f"{what}, all completed (s)": completed,
        **{
            f"peak memory of the {name} after {num:,} jobs (MB)": watch.peaks[pid] / 1e6
            for name, pid in largest.items()
            for num, watch in ((num_first, first), (num_first + num_jobs, all_of_them))
        },
    }


def _posted(client: httpx.Client, num_jobs: int) -> tuple[list[float], float, float]:
    """Post jobs; give the seconds of each POST, and those until all are accepted and until all are completed."""

    def timed(_: int) -> tuple[str, float]:
        with Timer() as timer:
            job_id = post(client, SMALL)
        return job_id, timer.seconds

    with Timer() as timer:
        with ThreadPoolExecutor(POST_CONNECTIONS) as pool:
            posted = list(pool.map(timed, range(num_jobs)))
        accepted = timer.seconds
        ended(client, [job_id for job_id, _ in posted])
    return [seconds for _, seconds in posted], accepted, timer.seconds


def histories(client: httpx.Client) -> dict[str, Any]:
    """Read a million rows as JSON: one run of a million epochs, complete and thinned, and 1,000 runs by pages."""
    one, many = post(client, ONE_LONG_RUN), post(client, LONG_RUNS)
    ended(client, [one, many])
    run = client.get(f"/v1/jobs/{one}/runs").json()["items"][0]["id"]
    api, _ = service_processes(os.getpid())
    reads: dict[str, Callable[[], int]] = {
        "one run of 1,000,000 epochs": lambda: _download(client, f"/v1/runs/{run}/metrics"),
        "the same, thinned to 1,000 points": lambda: _download(client, f"/v1/runs/{run}/metrics?max_points=1000"),
        "1,000 runs of 1,000 epochs, by pages": lambda: _pages(client, many),
    }
    figures: dict[str, Any] = {}
    for what, read in reads.items():
        with Timer() as timer, Watch(api) as watch:
            num_bytes = read()
        figures[f"{what}, read whole (s)"] = timer.seconds
        figures[f"{what}, JSON (MB)"] = num_bytes / 1e6
        figures[f"{what}, growth of the API (MB)"] = watch.growth / 1e6
    return figures


def _download(client: httpx.Client, path: str) -> int:
    with client.stream("GET", path) as answer:
        answer.raise_for_status()
        return sum(len(piece) for piece in answer.iter_raw(1 << 20))


def _pages(client: httpx.Client, job_id: str) -> int:
    num_bytes, cursor = 0, ""
    while cursor is not None:
        page = client.get(f"/v1/jobs/{job_id}/metrics", params={"limit": 500} | ({"cursor": cursor} if cursor else {}))
        num_bytes += len(page.raise_for_status().content)
        cursor = page.json()["next"]
    return num_bytes


PARTS: dict[str, Callable[[httpx.Client], dict[str, Any]]] = {
    "polling": polling,
    "posts": posts,
    "histories": histories,
}
