"""Jobs over HTTP, on both databases: post, poll, list, cancel, delete."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.servers import until, wait_for_job

SPEC: dict[str, Any] = {
    "name": "SGD against momentum",
    "problem": {"kind": "flipnet"},
    "optimizers": [
        {"label": "sgd", "kind": "sgd", "lr": 0.05},
        {"label": "momentum", "kind": "momentum", "lr": 0.05, "momentum": 0.9},
    ],
    "seeds": [42],
    "epochs": 30,
    "batch_size": 1,
    "shuffle": False,
}
# A valid id of no job or run.
NOBODY = "01234567-89ab-7cde-8f01-23456789abcd"
# Minutes of training, so that it still runs when a test reads it.
LONG = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": 0.001}],
    "epochs": 5_000_000,
    "record_every": 1_000_000,
}


def post(client: httpx.Client, spec: dict[str, Any] = SPEC, **headers: str) -> dict[str, Any]:
    answer = client.post("/v1/jobs", json=spec, headers=headers)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def newest(client: httpx.Client) -> list[str]:
    """The id of the newest job, with any status."""
    return [job["id"] for job in client.get("/v1/jobs?limit=1").json()["items"]]


def wait_until_running(client: httpx.Client, job_id: str) -> None:
    until(lambda: client.get(f"/v1/jobs/{job_id}").json()["status"] != "queued", "no worker has claimed it")


@pytest.mark.slow(after=1)
def test_a_posted_job_is_trained_and_its_history_can_be_read(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs", json=SPEC)
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["status"] == "queued"
    assert job["started_at"] is None
    assert job["receipt"] is None
    done = wait_for_job(client, job["id"])
    assert done["status"] == "completed"
    assert done["error"] is None
    assert done["progress"] == {
        "runs_total": 2, "runs_max": 2, "runs_ended": 2, "runs_diverged": 0, "epochs_total": 60, "epochs_done": 60,
        "fraction": 1.0,
    }  # fmt: skip
    assert set(done["receipt"]) >= {"spec_digest", "torch", "version", "dtype", "threads", "device"}
    times = [datetime.fromisoformat(done[name]) for name in ("created_at", "started_at", "finished_at")]
    assert times == sorted(times)
    assert all(moment.utcoffset() is not None for moment in times)
    runs = client.get(f"/v1/jobs/{job['id']}/runs").json()["items"]
    assert [(run["index"], run["label"], run["status"], run["epochs_done"]) for run in runs] == [
        (0, "sgd", "completed", 30),
        (1, "momentum", "completed", 30),
    ]
    history = client.get(f"/v1/runs/{runs[1]['id']}/metrics").json()
    assert history["epoch"] == list(range(31))
    assert history["loss"][-1] == runs[1]["final_loss"]
    assert min(history["loss"]) == runs[1]["best_loss"]
    assert history["epoch"][history["loss"].index(min(history["loss"]))] == runs[1]["best_epoch"]
    assert client.get(f"/v1/runs/{runs[1]['id']}").json() == runs[1]


def test_ids_are_uuid7_and_sort_by_creation(client: httpx.Client) -> None:
    ids = [post(client)["id"] for _ in range(5)]
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one) for one in ids)


def test_a_dry_run_gives_the_size_of_a_job_and_stores_nothing(client: httpx.Client) -> None:
    before = newest(client)
    grid = {**SPEC, "optimizers": [{"kind": "sgd", "lr": {"from": 0.01, "to": 0.1, "num": 10}}], "seeds": {"count": 3}}
    answer = client.post("/v1/jobs?dry_run=true", json=grid)
    assert answer.status_code == 200
    body = answer.json()
    assert {name: body[name] for name in body if name not in {"runs", "estimated_seconds"}} == {
        "runs_total": 30, "epochs_total": 900, "updates_total": 14_400, "rows_total": 930, "seeds": 3, "at_most": None
    }  # fmt: skip
    assert body["estimated_seconds"] > 0
    assert len(body["runs"]) == 20
    assert body["runs"][4]["label"] == "sgd lr=0.02"
    assert body["runs"][4]["seed"] == 1
    assert newest(client) == before


def test_the_same_idempotency_key_gives_the_same_job_and_another_body_is_refused(client: httpx.Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = client.post("/v1/jobs", json=SPEC, headers=key)
    again = client.post("/v1/jobs", json=SPEC, headers=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    other = client.post("/v1/jobs", json={**SPEC, "epochs": 31}, headers=key)
    assert other.status_code == 422
    assert other.json()["errors"][0]["loc"] == ["header", "Idempotency-Key"]


@pytest.mark.slow(after=1)
def test_twenty_requests_at_once_with_one_key_make_one_job(client: httpx.Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/jobs", json=SPEC, headers=key), range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.slow(after=1)
def test_an_unchanged_job_is_answered_304_without_a_body(client: httpx.Client) -> None:
    job = wait_for_job(client, post(client)["id"])
    answer = client.get(f"/v1/jobs/{job['id']}")
    again = client.get(f"/v1/jobs/{job['id']}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    other = client.get(f"/v1/jobs/{job['id']}", headers={"If-None-Match": '"something else"'})
    assert other.status_code == 200


@pytest.mark.slow(after=1)
def test_a_list_pages_through_all_jobs_while_new_ones_arrive(client: httpx.Client) -> None:
    name = f"paged {uuid4()}"
    known = [post(client, {**SPEC, "name": f"{name} {number}"})["id"] for number in range(7)]
    seen, cursor = [], None
    while True:
        query = {"limit": 2, "name": name.upper()} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/jobs", params=query).json()
        seen += [job["id"] for job in page["items"]]
        post(client, {**SPEC, "name": f"{name} late"})
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == known[::-1]


@pytest.mark.slow(after=1)
def test_jobs_are_filtered_by_status_and_problem(client: httpx.Client) -> None:
    name = f"filtered {uuid4()}"
    flipnet = post(client, {**SPEC, "name": name})["id"]
    surface = post(client, {**LONG, "name": name, "epochs": 3})["id"]
    wait_for_job(client, flipnet)
    wait_for_job(client, surface)

    def listed(**query: str) -> list[str]:
        return [job["id"] for job in client.get("/v1/jobs", params={"name": name, **query}).json()["items"]]

    assert listed(problem="flipnet") == [flipnet]
    assert listed(problem="surface", status="completed") == [surface]
    assert listed(status="queued") == []


def test_the_filter_of_names_takes_every_character_literally(client: httpx.Client) -> None:
    mark = uuid4().hex
    job_id = post(client, {**SPEC, "name": f"Über 50% of_all {mark}"})["id"]
    for part, is_found in {"Über": True, "ÜBER": True, "50% OF_ALL": True, "5%0": False, "of-all": False}.items():
        found = client.get("/v1/jobs", params={"name": part, "limit": 500}).json()["items"]
        assert (job_id in {job["id"] for job in found}) == is_found, part


@pytest.mark.slow(after=1)
def test_a_running_job_stops_when_cancelled_and_keeps_its_rows(client: httpx.Client) -> None:
    job = post(client, {**LONG, "record_every": 1, "epochs": 1_000_000})
    wait_until_running(client, job["id"])
    until(lambda: client.get(f"/v1/jobs/{job['id']}").json()["progress"]["epochs_done"] > 0, "nothing was recorded")
    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 409
    answer = client.post(f"/v1/jobs/{job['id']}/cancel")
    assert answer.status_code == 202
    assert answer.json()["status"] in {"cancelling", "cancelled"}
    ended = wait_for_job(client, job["id"])
    assert ended["status"] == "cancelled"
    assert ended["progress"]["runs_ended"] == 1
    run = client.get(f"/v1/jobs/{job['id']}/runs").json()["items"][0]
    assert run["status"] == "cancelled"
    last = run["epochs_done"]
    history = client.get(f"/v1/runs/{run['id']}/metrics", params={"from_epoch": last - 1}).json()
    assert history["epoch"] == [last - 1, last]
    assert client.post(f"/v1/jobs/{job['id']}/cancel").status_code == 409
    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert client.get(f"/v1/jobs/{job['id']}").status_code == 404
    assert client.get(f"/v1/runs/{run['id']}/metrics").status_code == 404


@pytest.mark.slow(after=1)
def test_queued_shards_of_a_cancelled_job_end_at_once(client: httpx.Client) -> None:
    # Four shards and one process for large jobs, so at least two shards are queued.
    sweep = {**LONG, "optimizers": [{"kind": "sgd", "lr": {"from": 1e-4, "to": 1e-3, "num": 32_768}}]}
    job = post(client, sweep)
    wait_until_running(client, job["id"])
    body = client.post(f"/v1/jobs/{job['id']}/cancel").json()
    assert body["progress"]["runs_ended"] >= 16_384
    assert wait_for_job(client, job["id"])["status"] == "cancelled"
    assert client.get(f"/v1/jobs/{job['id']}/runs", params={"status": "cancelled", "limit": 1}).json()["items"]


@pytest.mark.slow
def test_a_small_job_does_not_wait_for_a_sweep(client: httpx.Client) -> None:
    sweep = post(client, {**LONG, "optimizers": [{"kind": "sgd", "lr": {"from": 1e-4, "to": 1e-3, "num": 32_768}}]})
    wait_until_running(client, sweep["id"])
    small = wait_for_job(client, post(client)["id"])
    assert small["status"] == "completed"
    assert client.get(f"/v1/jobs/{sweep['id']}").json()["status"] == "running"
    client.post(f"/v1/jobs/{sweep['id']}/cancel")
    wait_for_job(client, sweep["id"])


@pytest.mark.slow
def test_a_job_with_a_time_to_live_is_deleted_after_it_ends(client: httpx.Client) -> None:
    job = post(client, {**SPEC, "ttl_seconds": 1})
    until(lambda: client.get(f"/v1/jobs/{job['id']}").status_code == 404, "it is still there")


@pytest.mark.parametrize(
    "path", ["/v1/jobs/nothing", "/v1/runs/nothing", f"/v1/runs/{NOBODY}", f"/v1/jobs/{NOBODY}/runs"]
)
def test_an_unknown_id_is_404(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == path
