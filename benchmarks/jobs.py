"""A small job, and how benchmarks post jobs and wait for them."""

from collections.abc import Iterable
from typing import Any

import httpx

from benchmarks.timing import wait_for_job

SMALL = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "sgd", "lr": 0.05}, {"kind": "momentum", "lr": 0.05}],
    "epochs": 30,
}


def post(client: httpx.Client, spec: dict[str, Any]) -> str:
    """Post a job and give its id."""
    answer = client.post("/v1/jobs", json=spec)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def ended(client: httpx.Client, job_ids: Iterable[str]) -> None:
    """Wait until all jobs are completed."""
    # Workers train jobs in their order, so few jobs are polled twice.
    for job_id in job_ids:
        wait_for_job(client, job_id, poll_seconds=0.02)
