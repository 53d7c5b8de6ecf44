"""Jobs that have completed on a running service."""

from typing import Any

import httpx

from tests.servers import wait_for_job


def run_job(client: httpx.Client, spec: dict[str, Any]) -> str:
    """Post a job wait until it has completed, and give its id."""
    answer = client.post("/v1/jobs", json=spec)
    assert answer.status_code == 202, answer.text
    job = wait_for_job(client, answer.json()["id"])
    assert job["status"] == "completed", job["error"]
    return str(job["id"])
