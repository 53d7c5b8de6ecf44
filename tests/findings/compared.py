"""Comparisons of real jobs, for tests."""

from typing import Any

import httpx

from tests.servers import wait_for_job


def run_job(client: httpx.Client, spec: dict[str, Any]) -> str:
    """Post a job and wait until it has completed."""
    answer = client.post("/v1/jobs", json=spec)
    assert answer.status_code == 202, answer.text
    assert wait_for_job(client, answer.json()["id"])["status"] == "completed"
    return str(answer.json()["id"])


def compare(client: httpx.Client, job_id: str, **query: Any) -> dict[str, Any]:
    """Get the comparison of a job."""
    answer = client.get(f"/v1/jobs/{job_id}/comparison", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def codes(comparison: dict[str, Any]) -> set[str]:
    """Give the codes of its warnings."""
    return {warning["code"] for warning in comparison["warnings"]}


def settings(comparison: dict[str, Any]) -> dict[str, Any]:
    """Give its settings by label."""
    return {setting["label"]: setting for label in comparison["labels"] for setting in label["settings"]}
