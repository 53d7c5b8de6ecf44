"""Time and memory of comparisons over HTTP of 1,000 and 100,000 runs of 30 epochs, on SQLite."""

from typing import Any

import httpx
import psutil

from benchmarks.embedded import embedded_stack
from benchmarks.timing import Timer, processor_seconds, wait_for_job

EPOCHS = 30
REPEATS = 5
# Most learning rates of each optimizer for which every setting is compared too: 64 labels at most.
MAX_EVERY = 32
# Name: seeds, learning rates. Each job has two optimizers.
SHAPES = {
    "1,000 runs (2 settings × 500 seeds)": (500, 1),
    "1,000 runs (20 settings × 50 seeds)": (50, 10),
    "1,000 runs (50 settings × 20 seeds)": (20, 25),
    "100,000 runs (5,000 settings × 20 seeds)": (20, 2_500),
}


def measure() -> dict[str, Any]:
    """Measure with the embedded stack on SQLite."""
    figures: dict[str, Any] = {}
    with embedded_stack(workers=1) as client:
        for name, (num_seeds, num_rates) in SHAPES.items():
            job_id = _run(client, num_seeds, num_rates)
            queries: dict[str, dict[str, str]] = {"": {}}
            queries |= {", every setting": {"tuned": "false"}} if 1 < num_rates <= MAX_EVERY else {}
            for kind, query in queries.items():
                repeats = 2 if num_rates > 1_000 else REPEATS
                first, best, busy = _times(client, f"/v1/jobs/{job_id}/comparison", query, repeats)
                figures[f"{name}{kind}, first time (s)"] = first
                figures[f"{name}{kind}, best of the next (s)"] = best
                figures[f"{name}{kind}, processor (s)"] = busy
        figures["memory of the API afterwards (MB)"] = _api().memory_info().rss / 1e6
    return figures


def _run(client: httpx.Client, num_seeds: int, num_rates: int) -> str:
    rates = {"from": 0.01, "to": 0.1, "num": num_rates, "scale": "log"}
    spec = {
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "sgd", "lr": rates}, {"kind": "momentum", "lr": rates}],
        "seeds": {"first": 0, "count": num_seeds},
        "epochs": EPOCHS,
    }
    job_id = str(client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
    wait_for_job(client, job_id, poll_seconds=0.1)
    return job_id


def _times(client: httpx.Client, url: str, query: dict[str, str], repeats: int) -> tuple[float, float, float]:
    """Give the seconds of the first answer, which includes the resampling, and of the fastest of the others.

    The third number is the smallest processor time of the API for one answer.
    """
    seconds, busy = [], []
    api = _api().pid
    for number in range(repeats):
        before = processor_seconds(api)
        # The API keeps its answers: each request has a target of its own.
        with Timer() as timer:
            client.get(url, params={**query, "target": 0.1 + 1e-6 * number}).raise_for_status()
        seconds.append(timer.seconds)
        busy.append(processor_seconds(api) - before)
    return seconds[0], min(seconds[1:]), min(busy)


def _api() -> psutil.Process:
    """Find the process of the API."""
    for process in psutil.Process().children(recursive=True):
        if "service.cli.local.serve" in " ".join(process.cmdline()):
            return process
    raise AssertionError("the API is not running")
