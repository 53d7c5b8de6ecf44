"""Values per second of a long history read over HTTP as JSON, CSV, NDJSON, Parquet and events."""

import io
import statistics
from typing import Any

import httpx

from benchmarks.embedded import embedded_stack
from benchmarks.stored import FIELDS
from benchmarks.timing import repeat, wait_for_job

NUM_RUNS, NUM_EPOCHS = 10, 19_999
ROWS = NUM_RUNS * (NUM_EPOCHS + 1)
JOB = {
    "problem": {"kind": "surface", "name": "rosenbrock"},
    "optimizers": [{"kind": "adam", "lr": {"from": 1e-4, "to": 1e-2, "num": NUM_RUNS}}],
    "epochs": NUM_EPOCHS,
}
REPEATS = 3


def measure() -> dict[str, Any]:
    """Measure with the embedded stack, from the request to the last byte; medians of three."""
    with embedded_stack(workers=1) as client:
        return _measure(client)


def _measure(client: httpx.Client) -> dict[str, Any]:
    job_id = client.post("/v1/jobs", json=JOB).raise_for_status().json()["id"]
    wait_for_job(client, job_id)
    here = f"/v1/jobs/{job_id}/metrics?fields={','.join(FIELDS)}"
    num_values, figures = ROWS * len(FIELDS), dict[str, Any]()
    for kind in ("json", "csv", "ndjson", "parquet"):
        figures[f"{kind} (million values per second)"] = num_values / _seconds(client, f"{here}&format={kind}") / 1e6
        figures[f"{kind} (MB)"] = len(client.get(f"{here}&format={kind}").content) / 1e6
    figures["csv thinned to 500 points (s)"] = _seconds(client, f"{here}&format=csv&max_points=500")
    events = _seconds(client, f"/v1/jobs/{job_id}/events?fields={','.join(FIELDS)}")
    figures["events, all of them (million values per second)"] = num_values / events / 1e6
    _check(client.get(f"{here}&format=parquet").content)
    return figures


def _seconds(client: httpx.Client, path: str) -> float:
    def read() -> None:
        with client.stream("GET", path) as answer:
            answer.raise_for_status()
            for _ in answer.iter_raw():
                pass

    return statistics.median(repeat(read, REPEATS))


def _check(content: bytes) -> None:
    from pyarrow import parquet

    assert parquet.read_metadata(io.BytesIO(content)).num_rows == ROWS, "rows are missing"
