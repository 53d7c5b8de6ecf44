"""How fast does a long history come out: values per second as JSON, CSV, NDJSON and Parquet?"""

import io
import statistics
import time
from typing import Any

import httpx

from benchmarks.road import wait
from benchmarks.stored import FIELDS

NUM_RUNS, NUM_EPOCHS = 10, 19_999
ROWS = NUM_RUNS * (NUM_EPOCHS + 1)
JOB = {
    "problem": {"kind": "surface", "name": "rosenbrock"},
    "optimizers": [{"kind": "adam", "lr": {"from": 1e-4, "to": 1e-2, "num": NUM_RUNS}}],
    "epochs": NUM_EPOCHS,
}
REPEATS = 3


def measure(client: httpx.Client) -> dict[str, Any]:
    """Measure against a running service, from the request to the last byte; the medians of a few."""
    job_id = client.post("/v1/jobs", json=JOB).raise_for_status().json()["id"]
    wait(client, job_id)
    here = f"/v1/jobs/{job_id}/metrics?fields={','.join(FIELDS)}"
    figures: dict[str, Any] = {}
    for kind in ("json", "csv", "ndjson", "parquet"):
        times = [_seconds(client, f"{here}&format={kind}") for _ in range(REPEATS)]
        figures[f"{kind} (million values per second)"] = ROWS * len(FIELDS) / statistics.median(times) / 1e6
        figures[f"{kind} (MB)"] = len(client.get(f"{here}&format={kind}").content) / 1e6
    times = [_seconds(client, f"{here}&format=csv&max_points=500") for _ in range(REPEATS)]
    figures["csv thinned to 500 points (s)"] = statistics.median(times)
    times = [_seconds(client, f"/v1/jobs/{job_id}/events?fields={','.join(FIELDS)}") for _ in range(REPEATS)]
    figures["events, all of them (million values per second)"] = ROWS * len(FIELDS) / statistics.median(times) / 1e6
    _check(client.get(f"{here}&format=parquet").content)
    return figures


def _seconds(client: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    with client.stream("GET", path) as answer:
        answer.raise_for_status()
        for _ in answer.iter_raw():
            pass
    return time.perf_counter() - started


def _check(content: bytes) -> None:
    from pyarrow import parquet

    assert parquet.read_metadata(io.BytesIO(content)).num_rows == ROWS, "rows are missing"
