"""Jobs that decide over HTTP: size, progress, events of looks, comparison, and continuation of undecided ones."""

from typing import Any

import httpx
import pytest

from tests.api.test_events_live import rows_of, watching
from tests.deciding import CLOSE, NOISY, TUNED
from tests.servers import wait_for_job


def post(client: httpx.Client, spec: dict[str, Any], **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/v1/jobs", json=spec, params=query).raise_for_status().json()
    return answer


def test_a_dry_run_gives_the_size_up_to_the_first_look_and_at_most(client: httpx.Client) -> None:
    size = post(client, NOISY, dry_run=True)
    assert (size["seeds"], size["runs_total"]) == (8, 16)
    assert (size["at_most"]["seeds"], size["at_most"]["runs_total"], size["at_most"]["rows_total"]) == (100, 200, 600)
    assert size["estimated_seconds"] < size["at_most"]["estimated_seconds"]
    assert post(client, {**NOISY, "decide": None}, dry_run=True)["at_most"] is None


def test_a_job_shows_its_decision_and_an_event_tells_each_look(client: httpx.Client) -> None:
    job = post(client, NOISY)
    labels = [{"label": "fast", "verdict": "undecided", "interval": None, "seeds": 0}]
    decision = {"status": "open", "seeds_used": 0, "max_seeds": 100, "stopped": None, "labels": labels}
    assert job["decision"] == decision
    assert (job["progress"]["runs_total"], job["progress"]["runs_max"]) == (16, 200)
    with watching(client, job["id"]) as stream:
        events = list(stream)
    told = [event for event in events if event.name == "decision"]
    assert [event.data["status"] for event in told] == ["open", "decided"]
    ended = client.get(f"/v1/jobs/{job['id']}").json()
    assert events[-1].data == ended
    assert ended["decision"] == told[-1].data
    assert (ended["status"], ended["progress"]["runs_total"], ended["progress"]["fraction"]) == ("completed", 32, 1.0)
    # Rows of the second batch, whose runs did not exist when the stream began.
    sent = [row for event in events if event.name == "metrics" for row in rows_of(event)]
    assert sorted(sent) == [(run, epoch) for run in range(32) for epoch in (0, 6, 12)]
    # From any event on, the others follow.
    with watching(client, job["id"], told[0].id) as stream:
        assert [event.data for event in stream if event.name == "decision"] == [told[1].data]
    found = client.get(f"/v1/jobs/{job['id']}/comparison").raise_for_status().json()
    assert found["verdict"] == "fast is better than slow (16 seeds, 95 % confidence at every look)."
    assert (found["seeds"], found["replicates"], found["best"]) == (16, 16, ["fast"])


@pytest.mark.slow(after=1)
def test_an_undecided_job_continues_with_more_seeds(client: httpx.Client) -> None:
    job_id = post(client, CLOSE)["id"]
    path = f"/v1/jobs/{job_id}/continue"
    assert client.post(path, json={"max_seeds": 0}).status_code == 422
    ended = wait_for_job(client, job_id)
    assert (ended["decision"]["status"], ended["decision"]["seeds_used"]) == ("undecided", 20)
    with watching(client, job_id) as stream:
        last = [event.id for event in stream][-1]
    refused = client.post(path, json={"max_seeds": 20})
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["body", "max_seeds"])
    for _ in range(2):
        assert client.post(path, json={"max_seeds": 28}).status_code == 202
    # A stream that had ended goes on.
    with watching(client, job_id, last) as stream:
        told = [event.data["seeds_used"] for event in stream if event.name == "decision"]
    assert told == [24, 28]
    again = wait_for_job(client, job_id)
    assert (again["status"], again["decision"]["max_seeds"]) == ("completed", 28)
    runs = client.get(f"/v1/jobs/{job_id}/runs", params={"limit": 500, "label": "b"}).json()["items"]
    found = [(run["seed"], run["label"], run["status"]) for run in runs]
    assert found == [(seed, "b", "completed") for seed in range(28)]
    assert client.post("/v1/jobs/0/continue", json={"max_seeds": 28}).status_code == 404


def test_a_job_without_decide_does_not_continue(client: httpx.Client) -> None:
    job = post(client, {**NOISY, "decide": None, "seeds": [0]})
    assert (job["decision"], job["progress"]["runs_max"]) == (None, 2)
    refused = client.post(f"/v1/jobs/{job['id']}/continue", json={"max_seeds": 100})
    assert refused.status_code == 409


@pytest.mark.slow(after=1)
def test_a_stream_follows_the_choice_of_settings(client: httpx.Client) -> None:
    job = post(client, TUNED)
    with watching(client, job["id"], labels="fast") as stream:
        events = list(stream)
    sent: dict[str, set[int]] = {}
    for event in events:
        for run in event.data["runs"] if event.name == "metrics" else ():
            sent.setdefault(run["label"], set()).add(run["seed"])
    first = set(range(8))
    assert sent == {"fast lr=0.002": first, "fast lr=3": first, "fast lr=0.2": set(range(16))}
    grid = client.get(f"/v1/jobs/{job['id']}/runs", params={"label": "fast lr=0.2", "limit": 500}).json()["items"]
    assert [run["seed"] for run in grid] == list(range(16))
    for kind in ("loss", "comparison"):
        assert client.get(f"/v1/jobs/{job['id']}/plot.svg", params={"kind": kind}).status_code == 200
    every = client.get(f"/v1/jobs/{job['id']}/comparison", params={"tuned": False}).raise_for_status().json()
    assert [one["label"] for label in every["labels"] for one in label["settings"]][2:4] == [
        "slow lr=3",
        "fast lr=0.002",
    ]
