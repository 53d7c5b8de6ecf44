"""How long is the road from POST to every row readable: for a small job, and for a sweep of 1,000 runs?"""

import statistics
import time
from typing import Any

import httpx

from benchmarks import notebook

SMALL = {
    "problem": {"kind": "flipnet"},
    "optimizers": [
        {"label": "sgd", "kind": "sgd", "lr": 0.05},
        {"label": "momentum", "kind": "momentum", "lr": 0.05, "momentum": 0.9},
    ],
    "seeds": [42],
    "epochs": 30,
}
SWEEP = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.05, "momentum": {"from": 0.0, "to": 0.99, "num": 1000}}],
    "seeds": [42],
    "epochs": 30,
}
POLL_SECONDS = 0.004
DEADLINE_SECONDS = 120.0


def measure(client: httpx.Client) -> dict[str, Any]:
    """Measure both against a running service; the baseline runs in the same minute on the same machine."""
    for _ in range(3):
        road(client, SMALL)
    small = [road(client, SMALL) for _ in range(20)]
    road(client, SWEEP)
    sweeps = [completed(client, SWEEP) for _ in range(5)]
    baseline = notebook.seconds_per_run() * 1_000
    return {
        "small job, POST to all rows read, median of 20 (ms)": 1_000 * statistics.median(small),
        "small job, worst of 20 (ms)": 1_000 * max(small),
        "sweep of 1,000 runs, POST to completed, median of 5 (ms)": 1_000 * statistics.median(sweeps),
        "one run at a time, 1,000 runs (s)": baseline,
        "sweep, times faster than one run at a time": baseline / statistics.median(sweeps),
    }


def completed(client: httpx.Client, spec: dict[str, Any]) -> float:
    """Measure from POST until the job says completed, in seconds."""
    started = time.perf_counter()
    job = client.post("/v1/jobs", json=spec).raise_for_status().json()
    wait(client, job["id"])
    return time.perf_counter() - started


def road(client: httpx.Client, spec: dict[str, Any]) -> float:
    """Measure from POST until every row has been read, in seconds."""
    started = time.perf_counter()
    job = client.post("/v1/jobs", json=spec).raise_for_status().json()
    wait(client, job["id"])
    rows, cursor = 0, None
    while True:
        page = client.get(
            f"/v1/jobs/{job['id']}/metrics", params={"limit": 500} | ({"cursor": cursor} if cursor else {})
        )
        rows += sum(run["returned_points"] for run in page.raise_for_status().json()["runs"])
        cursor = page.json()["next"]
        if cursor is None:
            break
    seconds = time.perf_counter() - started
    assert rows == job["progress"]["epochs_total"] + job["progress"]["runs_total"], "rows are missing"
    return seconds


def wait(client: httpx.Client, job_id: str) -> None:
    """Wait until a job says completed."""
    deadline = time.perf_counter() + DEADLINE_SECONDS
    while (status := client.get(f"/v1/jobs/{job_id}").json()["status"]) != "completed":
        assert status in {"queued", "running"}, f"the job is {status}"
        assert time.perf_counter() < deadline, "the job did not end in time"
        time.sleep(POLL_SECONDS)
