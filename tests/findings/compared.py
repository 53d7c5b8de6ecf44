"""Comparisons of real jobs, for tests."""

from typing import Any

import httpx


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
