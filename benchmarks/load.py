"""Time and memory of the service with 200 polling clients, with 1,000 jobs at once, and with long histories.

Each measurement starts an embedded stack with two workers for all jobs and one for small jobs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from benchmarks.embedded import embedded_stack
from benchmarks.memory import Watch, service_processes
from benchmarks.timing import Timer, processor_seconds, wait_for_job

ENDED = {"completed", "failed", "cancelled"}
# 2 to 3 s of training and 150,000 rows; fifty of these jobs take longer than the polling.
SWEEP = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.05, "momentum": {"from": 0.0, "to": 0.99, "num": 1_000}}],
    "epochs": 1_500,
    "record_every": 10,
}
SMALL = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "sgd", "lr": 0.05}, {"kind": "momentum", "lr": 0.05}],
    "epochs": 30,
}
ONE_LONG_RUN = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": 0.001}],
    "epochs": 999_999,
}
LONG_RUNS = {**ONE_LONG_RUN, "seeds": {"count": 1_000}, "epochs": 999}


def measure() -> dict[str, Any]:
    """Run all measurements, each on a new stack."""
    figures: dict[str, Any] = {}
    for section in (polling, burst, histories):
        with embedded_stack(workers=2) as client:
            ended(client, [post(client, SMALL)])
            figures |= section(client)
    return figures


def polling(client: httpx.Client, *, num_clients: int = 200, num_jobs: int = 50, seconds: float = 60) -> dict[str, Any]:
    """Poll from many clients without a pause while jobs train."""
    job_ids = [post(client, SWEEP) for _ in range(num_jobs)]
    command = [sys.executable, "-m", "benchmarks.poller", str(client.base_url), str(num_clients), str(seconds)]
    api, _ = service_processes(os.getpid())
    worked = -processor_seconds(*api)
    polled = json.loads(subprocess.run([*command, *job_ids], check=True, capture_output=True, text=True).stdout)
    worked += processor_seconds(*api)
    open_jobs = [job_id for job_id in job_ids if client.get(f"/v1/jobs/{job_id}").json()["status"] not in ENDED]
    for job_id in open_jobs:
        client.post(f"/v1/jobs/{job_id}/cancel")
    what = f"{num_clients} clients poll, {num_jobs} jobs train"
    return {
        f"{what}, GET status, median (ms)": polled["p50"],
        f"{what}, GET status, p99 (ms)": polled["p99"],
        f"{what}, GET status, slowest (ms)": polled["max"],
        f"{what}, answers per second": polled["per_second"],
        f"{what}, the API's work per answer (ms)": 1_000 * worked / sum(polled["answers"].values()),
        f"{what}, answers other than 200 and 304": sum(
            number for status, number in polled["answers"].items() if status not in {"200", "304"}
        ),
        f"{what}, jobs that ended meanwhile": num_jobs - len(open_jobs),
    }


def burst(client: httpx.Client, *, num_first: int = 100, num_jobs: int = 1_000) -> dict[str, Any]:
    """Post many small jobs at once, and compare the peak memory with that for the first of them."""
    api, training = service_processes(os.getpid())
    with Watch([*api, *training]) as first:
        _burst(client, num_first)
    with Watch([*api, *training]) as all_of_them:
        posted, seconds = _burst(client, num_jobs - num_first)
    largest = {name: max(pids, key=all_of_them.peaks.__getitem__) for name, pids in
               {"API": api, "worker": training}.items()}  # fmt: skip
    what = f"{num_jobs - num_first:,} jobs at once"
    return {
        f"{what}, all accepted (s)": posted,
        f"{what}, all completed (s)": seconds,
        **{
            f"peak memory of the {name} after {num} jobs (MB)": watch.peaks[pid] / 1e6
            for name, pid in largest.items()
            for num, watch in ((num_first, first), (num_jobs, all_of_them))
        },
    }


def _burst(client: httpx.Client, num_jobs: int) -> tuple[float, float]:
    """Post jobs from 50 threads; give the seconds until all are accepted, and until all are completed."""
    with Timer() as timer:
        with ThreadPoolExecutor(50) as pool:
            job_ids = list(pool.map(lambda _: post(client, SMALL), range(num_jobs)))
        posted = timer.seconds
        ended(client, job_ids)
    return posted, timer.seconds


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


def post(client: httpx.Client, spec: dict[str, Any]) -> str:
    """Post a job and give its id."""
    answer = client.post("/v1/jobs", json=spec)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def ended(client: httpx.Client, job_ids: Iterable[str]) -> None:
    """Wait until all jobs are completed."""
    # Workers train jobs in their order, so few jobs are polled twice.
    for job_id in job_ids:
        wait_for_job(client, job_id, poll_seconds=0.02)
