"""Time from POST until all rows of a small job are read, and until a sweep of 1,000 runs is completed."""

import statistics
from typing import Any

import httpx

from benchmarks import notebook
from benchmarks.embedded import embedded_stack
from benchmarks.timing import repeat, wait_for_job

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


def measure() -> dict[str, Any]:
    """Measure both with the embedded stack, and the baseline directly after them."""
    with embedded_stack(workers=2) as client:
        small = repeat(lambda: _read_all(client, _complete(client, SMALL)), 20, warm_ups=3)
        sweeps = repeat(lambda: _complete(client, SWEEP), 5, warm_ups=1)
    baseline = notebook.seconds_per_run() * 1_000
    return {
        "small job, POST to all rows read, median of 20 (ms)": 1_000 * statistics.median(small),
        "small job, worst of 20 (ms)": 1_000 * max(small),
        "sweep of 1,000 runs, POST to completed, median of 5 (ms)": 1_000 * statistics.median(sweeps),
        "one run at a time, 1,000 runs (s)": baseline,
        "sweep, times faster than one run at a time": baseline / statistics.median(sweeps),
    }


def _complete(client: httpx.Client, spec: dict[str, Any]) -> dict[str, Any]:
    job: dict[str, Any] = client.post("/v1/jobs", json=spec).raise_for_status().json()
    wait_for_job(client, job["id"])
    return job


def _read_all(client: httpx.Client, job: dict[str, Any]) -> None:
    rows, cursor = 0, ""
    while cursor is not None:
        query = {"limit": 500} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"/v1/jobs/{job['id']}/metrics", params=query).raise_for_status().json()
        rows += sum(run["returned_points"] for run in page["runs"])
        cursor = page["next"]
    assert rows == job["progress"]["epochs_total"] + job["progress"]["runs_total"], "rows are missing"
