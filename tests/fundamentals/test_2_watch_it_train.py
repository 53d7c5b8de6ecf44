"""Chapter 2. A job is queued, then running, then it has ended; clients poll its status or read its event stream."""

import json
from typing import Any

import httpx
import pytest

from tests.servers import wait_for_job

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

SPEC: dict[str, Any] = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.05}],
    "seeds": {"count": 4},
    "epochs": 25,
}


def post(client: httpx.Client) -> str:
    return str(client.post("/v1/jobs", json=SPEC).raise_for_status().json()["id"])


def read_events(client: httpx.Client, job_id: str) -> list[tuple[str, Any]]:
    """Read a stream of server-sent events to its end: the name and the data of each."""
    events, name = [], ""
    with client.stream("GET", f"/v1/jobs/{job_id}/events", params={"fields": "loss"}) as answer:
        for line in answer.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                events.append((name, json.loads(value)))
    return events


def test_progress_counts_epochs_until_the_job_is_completed(client: httpx.Client) -> None:
    job = client.get(f"/v1/jobs/{post(client)}").json()
    assert job["status"] in {"queued", "running", "completed"}
    assert job["progress"]["epochs_total"] == 100
    ended = wait_for_job(client, job["id"])
    assert ended["progress"]["fraction"] == 1.0
    assert ended["created_at"] <= ended["started_at"] <= ended["finished_at"]


def test_a_poll_with_the_last_etag_costs_no_body_while_nothing_changes(client: httpx.Client) -> None:
    job_id = post(client)
    wait_for_job(client, job_id)
    seen = client.get(f"/v1/jobs/{job_id}")
    again = client.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": seen.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_event_stream_has_each_row_once_and_ends_with_the_job(client: httpx.Client) -> None:
    events = read_events(client, post(client))
    rows = [
        (run["run_id"], epoch)
        for name, data in events
        if name == "metrics"
        for run in data["runs"]
        for epoch in run["epoch"]
    ]
    assert len(rows) == len(set(rows)) == 4 * 26
    assert events[-1][0] == "end"
    statuses = [data["status"] for name, data in events if name == "status"]
    assert statuses[-1] == "completed"
