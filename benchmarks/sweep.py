"""Time of sweeps of 20,000 and of a million runs with the whole service, gain of a second worker, and memory."""

from typing import Any

import httpx
import psutil

from benchmarks.embedded import embedded_stack
from benchmarks.timing import Timer, wait_until

POLL_SECONDS = 0.1
DEADLINE_SECONDS = 900.0


def sweep(num_runs: int, **changes: Any) -> dict[str, Any]:
    """Give the spec of a FlipNet sweep over learning rates and momenta."""
    momenta = {"from": 0.0, "to": 0.99, "num": 1_000}
    rates = {"from": 0.01, "to": 0.1, "num": num_runs // 1_000}
    optimizer = {"kind": "momentum", "lr": rates, "momentum": momenta}
    return {"problem": {"kind": "flipnet"}, "optimizers": [optimizer], "epochs": 30, **changes}


def measure() -> dict[str, Any]:
    """Measure 20,000 runs with one and with two workers, and a million with two."""
    figures: dict[str, Any] = {}
    seconds = {}
    for workers in (1, 2):
        with embedded_stack(workers=workers) as client:
            _run(client, sweep(20_000))  # New workers are still loading torch.
            seconds[workers] = min(_run(client, sweep(20_000))[0] for _ in range(3))
            if workers == 2:
                million, peak = _run(client, sweep(1_000_000, record_every=10))
    figures["20,000 runs, one worker (s)"] = seconds[1]
    figures["20,000 runs, two workers (s)"] = seconds[2]
    figures["20,000 runs, gain of the second worker"] = seconds[1] / seconds[2]
    figures["1,000,000 runs, record_every 10, two workers (s)"] = million
    figures["1,000,000 runs, peak memory of a worker (GB)"] = peak / 1e9
    return figures


def _run(client: httpx.Client, spec: dict[str, Any]) -> tuple[float, int]:
    """Run a job; give the seconds from POST to completed, and the peak bytes of the largest process.

    The job stays: the removal of its rows would take time from the next one.
    """
    peak = 0

    def is_completed() -> bool:
        nonlocal peak
        status = client.get(f"/v1/jobs/{job_id}").raise_for_status().json()["status"]
        assert status in {"queued", "running", "completed"}, f"job {job_id} is {status}"
        peak = max(peak, _largest_worker())
        return bool(status == "completed")

    with Timer() as timer:
        job_id = client.post("/v1/jobs", json=spec).raise_for_status().json()["id"]
        wait_until(is_completed, "the job did not end", deadline_seconds=DEADLINE_SECONDS, poll_seconds=POLL_SECONDS)
    return timer.seconds, peak


def _largest_worker() -> int:
    """Give the resident bytes of the largest worker process below this one."""
    sizes = [0]
    for process in psutil.Process().children(recursive=True):
        try:
            if "-m worker" in " ".join(process.cmdline()):
                sizes.append(process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return max(sizes)
