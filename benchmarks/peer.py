"""Rates of writing and reading the same histories in MLflow and in Ravine, both on SQLite and over HTTP.

``make bench-peer`` installs MLflow into .venv-peer. One client reads from both in turn, with the same JSON parser.
Values are written to MLflow with log-batch, its fastest call, 1,000 values per request, which is its maximum.
"""

import io
import json
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks import stored
from benchmarks.timing import Timer, repeat, wait_until

SERVER = Path(".venv-peer/bin/mlflow")
FIELDS = ("loss", "train_loss", "grad_norm", "update_norm", "distance_from_start")
SHORT_RUNS, SHORT_ROWS, LONG_ROWS = 50, 31, 20_000
# Values of one request to MLflow.
BATCH_VALUES, PAGE_VALUES = 1_000, 25_000
REPEATS, NUM_READS = 3, 100
START_SECONDS = 240.0


def measure() -> dict[str, Any]:
    """Measure both, and the ratio of their rates."""
    assert SERVER.exists(), "the peer is not installed: make bench-peer"
    short_EFR = stored.draw(SHORT_ROWS, SHORT_RUNS, FIELDS)
    long_EFR = stored.draw(LONG_ROWS, 1, FIELDS)
    with _server() as client:
        peer = _peer(client, short_EFR, long_EFR)
    with stored.sqlite() as database:
        here = {
            "short histories written": _rate(database, short_EFR),
            "long history written": _rate(database, long_EFR),
        }
        job = stored.write(database, long_EFR, FIELDS).job
        with stored.api(database) as (client, _):
            here |= _reads(client, job.id)
    peer["long history read as Parquet"] = peer["long history read as JSON"]
    figures: dict[str, Any] = {}
    for what, found in here.items():
        unit = "ms" if what.startswith("GET") else "values per second"
        figures[f"{what}, peer ({unit})"] = peer[what]
        figures[f"{what}, Ravine ({unit})"] = found
        figures[f"{what}, times"] = peer[what] / found if unit == "ms" else found / peer[what]
    return figures


def _rate(database: Any, values_EFR: NDArray[np.float64]) -> float:
    written = [stored.write(database, values_EFR, FIELDS) for _ in range(REPEATS)]
    return statistics.median(one.num_values / one.seconds for one in written)


def _reads(client: httpx.Client, job_id: str) -> dict[str, float]:
    from pyarrow import parquet

    run = client.get(f"/v1/jobs/{job_id}/runs").json()["items"][0]["id"]
    path = f"/v1/runs/{run}/metrics?fields={','.join(FIELDS)}"

    def as_json() -> int:
        history = client.get(path).raise_for_status().json()
        return sum(len(history[field]) for field in FIELDS)

    def as_parquet() -> int:
        table = parquet.read_table(io.BytesIO(client.get(path + "&format=parquet").raise_for_status().content))
        return sum(len(table[field].to_numpy()) for field in FIELDS)

    return {
        "long history read as JSON": _values_per_second(as_json),
        "long history read as Parquet": _values_per_second(as_parquet),
        "GET status": _milliseconds(client, f"/v1/jobs/{job_id}"),
    }


def _values_per_second(read: Callable[[], int]) -> float:
    num_values = LONG_ROWS * len(FIELDS)

    def read_all() -> None:
        assert read() == num_values, "values are missing"

    return num_values / statistics.median(repeat(read_all, REPEATS))


def _milliseconds(client: httpx.Client, path: str, **query: str) -> float:
    return 1_000 * statistics.median(repeat(lambda: client.get(path, params=query).raise_for_status(), NUM_READS))


@contextmanager
def _server() -> Iterator[httpx.Client]:
    with socket.socket() as probe, tempfile.TemporaryDirectory(prefix="ravine-bench-") as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [str(SERVER.absolute()), "server", "--backend-store-uri", f"sqlite:///{folder}/peer.db"]
        command += ["--artifacts-destination", folder, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        # MLflow starts other programs by name: those of its environment must come first.
        path = f"{SERVER.parent.absolute()}:{os.environ['PATH']}"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PATH": path}
        # Without its job queues, which are not used here and would start seven more processes.
        environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
        silent = subprocess.DEVNULL
        process = subprocess.Popen(command, stdout=silent, stderr=silent, env=environment, start_new_session=True)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
                _wait(client)
                yield client
        finally:
            # MLflow starts child processes.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _wait(client: httpx.Client) -> None:
    def answers() -> bool:
        try:
            return client.get("/health").is_success
        except httpx.TransportError:
            return False

    wait_until(answers, "MLflow's server did not start", deadline_seconds=START_SECONDS, poll_seconds=0.1)


def _peer(client: httpx.Client, short_EFR: NDArray[np.float64], long_EFR: NDArray[np.float64]) -> dict[str, float]:
    def post(call: str, **body: Any) -> Any:
        return client.post(f"/api/2.0/mlflow/{call}", json=body).raise_for_status().json()

    def write(values_EFR: NDArray[np.float64]) -> tuple[str, float]:
        with Timer() as timer:
            for run in range(values_EFR.shape[2]):
                now = int(1_000 * time.time())
                run_id = post("runs/create", experiment_id=experiment, start_time=now)["run"]["info"]["run_id"]
                values = [
                    {"key": key, "value": value, "timestamp": now, "step": epoch}
                    for epoch, values_F in enumerate(values_EFR[:, :, run].tolist())
                    for key, value in zip(FIELDS, values_F, strict=True)
                ]
                for at in range(0, len(values), BATCH_VALUES):
                    post("runs/log-batch", run_id=run_id, metrics=values[at : at + BATCH_VALUES])
                post("runs/update", run_id=run_id, status="FINISHED", end_time=now)
        return run_id, values_EFR.size / timer.seconds

    experiment = post("experiments/create", name="bench")["experiment_id"]
    _, short = write(short_EFR)
    run_id, long = write(long_EFR)

    def read() -> int:
        num_values = 0
        for key in FIELDS:
            token: str | None = ""
            while token is not None:
                query: dict[str, str | int] = {"run_id": run_id, "metric_key": key, "max_results": PAGE_VALUES}
                query |= {"page_token": token} if token else {}
                page = client.get("/api/2.0/mlflow/metrics/get-history", params=query).raise_for_status()
                found = json.loads(page.content)
                num_values += len(found["metrics"])
                token = found.get("next_page_token") or None
        return num_values

    return {
        "short histories written": short,
        "long history written": long,
        "long history read as JSON": _values_per_second(read),
        "GET status": _milliseconds(client, "/api/2.0/mlflow/runs/get", run_id=run_id),
    }
