"""Time from `ravine up` in an empty folder to the ready API and to the first completed job; memory of the processes."""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.memory import service_processes

SPEC = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 1}
REPEATS = 5
POLL_SECONDS = 0.01
MEGABYTE = 2**20


def measure() -> dict[str, Any]:
    """Start the embedded stack with two workers several times, and measure each start."""
    starts = [_start() for _ in range(REPEATS)]
    found: dict[str, Any] = {}
    for what in starts[0]:
        values = [start[what] for start in starts]
        found[f"{what}, median"] = round(statistics.median(values), 2)
        found[f"{what}, largest"] = round(max(values), 2)
    return found


def _start() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        command = [str(Path(sys.executable).with_name("ravine")), "up", "--port", "0", "--data-dir", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                url = next(found[1] for line in process.stdout if (found := re.search(r"ready at (\S+)", line)))
                ready = time.perf_counter() - began
                with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
                    job = client.post("/v1/jobs", json=SPEC).raise_for_status().json()
                    while client.get(f"/v1/jobs/{job['id']}").json()["status"] != "completed":
                        time.sleep(POLL_SECONDS)
                first_job = time.perf_counter() - began
                return {
                    "API ready (s)": ready,
                    "first job completed (s)": first_job,
                    "processor seconds of all processes": _processor_seconds(process.pid),
                    "memory of a process that trains, shared pages divided (MB)": _memory(process.pid),
                    "memory of all processes, shared pages divided (MB)": _memory_of_all(process.pid),
                }
            finally:
                process.terminate()


def _processor_seconds(parent: int) -> float:
    root = psutil.Process(parent)
    return sum(sum(process.cpu_times()[:2]) for process in (root, *root.children(recursive=True)))


def _memory(parent: int) -> float:
    _, training = service_processes(parent)
    return max(float(psutil.Process(pid).memory_full_info().pss) / MEGABYTE for pid in training)


def _memory_of_all(parent: int) -> float:
    root = psutil.Process(parent)
    return sum(float(process.memory_full_info().pss) / MEGABYTE for process in (root, *root.children(recursive=True)))
