"""Upload of a CSV of 50 MB until its dataset is ready, and the status of a job polled meanwhile, on both databases.

The file has 60,000 rows of 50 numbers. One client polls, with 5 ms between two polls; its response times are
compared with those without an upload.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
import numpy as np

from benchmarks import stored
from benchmarks.jobs import SMALL
from benchmarks.timing import Timer
from service.client import Ravine
from service.database.connection import Database

NUM_ROWS, NUM_COLUMNS, QUIET_SECONDS, NUM_UPLOADS = 60_000, 50, 3.0, 3
PAUSE_SECONDS = 0.005


def measure() -> dict[str, Any]:
    """Measure on SQLite and on PostgreSQL."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="ravine-bench-") as folder:
        for name, make in (("SQLite", stored.sqlite), ("PostgreSQL", stored.postgresql)):
            with make() as database:
                figures |= {f"{what}, {name}": value for what, value in _on(database, Path(folder)).items()}
    return figures


def _on(database: Database, folder: Path) -> dict[str, float]:
    with stored.api(database) as (client, _), Ravine(str(client.base_url)) as ravine:
        path = f"/v1/jobs/{client.post('/v1/jobs', json=SMALL).raise_for_status().json()['id']}"
        with _polled(str(client.base_url), path) as quiet:
            time.sleep(QUIET_SECONDS)
        seconds, sizes = [], []
        files = [_write(folder / f"{number}.csv", number) for number in range(NUM_UPLOADS)]
        with _polled(str(client.base_url), path) as busy:
            for file in files:
                with Timer() as timer:
                    made = ravine.upload(file)
                seconds.append(timer.seconds)
                sizes.append(made["bytes"] / 1e6)
    return {
        "size of the file (MB)": sizes[0],
        "upload to ready, median (s)": sorted(seconds)[NUM_UPLOADS // 2],
        "upload to ready, slowest (s)": max(seconds),
        "GET status without an upload, p99 (ms)": 1_000 * quantiles(quiet, n=100)[-1],
        "GET status during uploads, p99 (ms)": 1_000 * quantiles(busy, n=100)[-1],
        "GET status during uploads, slowest (ms)": 1_000 * max(busy),
    }


def _write(path: Path, seed: int) -> Path:
    """Write a file, if it is not there."""
    if not path.exists():
        values = np.random.default_rng(seed).normal(size=(NUM_ROWS, NUM_COLUMNS))
        header = ",".join(f"column_{at}" for at in range(NUM_COLUMNS))
        np.savetxt(path, values, fmt="%.14g", delimiter=",", header=header, comments="")
    return path


@contextmanager
def _polled(url: str, path: str) -> Iterator[list[float]]:
    """Poll a path from a thread, and give the list of response times in seconds, complete at the end."""
    times: list[float] = []
    stopped = threading.Event()

    def poll() -> None:
        with httpx.Client(base_url=url, timeout=60.0, trust_env=False) as client:
            while not stopped.wait(PAUSE_SECONDS):
                with Timer() as timer:
                    client.get(path).raise_for_status()
                times.append(timer.seconds)

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield times
    finally:
        stopped.set()
        thread.join()
