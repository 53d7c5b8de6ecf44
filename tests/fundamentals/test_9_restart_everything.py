"""Chapter 9. If all processes end during a job, it continues after a restart from its checkpoint, bit for bit."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import Broker, Stack, until, wait_for_job

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

# A second of training with noise, whose random numbers depend on seed and step alone.
SPEC: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine", "noise": 0.5},
    "optimizers": [{"kind": "momentum", "lr": 0.001, "momentum": 0.9}],
    "seeds": [1, 2],
    "epochs": 6_000,
    "record_every": 100,
}


def losses(client: httpx.Client, job_id: str) -> list[list[float]]:
    return [run["loss"] for run in client.get(f"/v1/jobs/{job_id}/metrics").raise_for_status().json()["runs"]]


@pytest.mark.slow
def test_a_job_interrupted_by_a_restart_of_everything_has_the_rows_of_an_undisturbed_one(
    client: httpx.Client, new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    undisturbed = client.post("/v1/jobs", json=SPEC).raise_for_status().json()["id"]
    # Progress is stored ten times a second, so that the restart comes in the middle.
    env = {"RAVINE_FLUSH_SECONDS": "0.1"}
    stack_here = partial(Stack, new_database("sqlite"), broker.new_url(), tmp_path, has_interactive=False, env=env)
    with stack_here() as first, first.client() as before:
        job_id = before.post("/v1/jobs", json=SPEC).raise_for_status().json()["id"]
        until(lambda: before.get(f"/v1/jobs/{job_id}").json()["progress"]["epochs_done"] > 0)
        assert before.get(f"/v1/jobs/{job_id}").json()["status"] == "running"
        first.stop()
    with stack_here() as second, second.client() as after:
        job = wait_for_job(after, job_id)
        assert job["status"] == "completed"
        assert wait_for_job(client, undisturbed)["status"] == "completed"
        assert losses(after, job_id) == losses(client, undisturbed)
