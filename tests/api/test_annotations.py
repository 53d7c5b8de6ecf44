"""Names, tags and notes of jobs: changed by their owner at any time, without a change of what was trained."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.servers import wait_for_job

SPEC: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": 0.01}],
    "epochs": 3,
}


@pytest.fixture
def job(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/v1/jobs", json=SPEC).json()
    return found


def test_tags_and_note_are_kept_found_and_removed_and_the_spec_stays(client: httpx.Client, job: dict[str, Any]) -> None:
    here, word = f"/v1/jobs/{job['id']}", f"lecture {uuid4().hex[:8]}"
    assert (job["tags"], job["note"]) == ([], None)
    wait_for_job(client, job["id"])
    before = client.get(here)
    answer = client.patch(here, json={"tags": [word, "b", f" {word} "], "note": "For Monday.", "name": "Émile's"})
    assert answer.status_code == 200
    assert (answer.json()["tags"], answer.json()["note"]) == (["b", word], "For Monday.")
    after = client.get(here, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.json() == answer.json()
    assert after.json()["name"] == "Émile's"
    assert after.json()["spec"] == before.json()["spec"]
    assert after.json()["receipt"] == before.json()["receipt"]
    for query in ({"tag": word}, {"tag": word, "name": "émile"}):
        (found,) = client.get("/v1/jobs", params=query).json()["items"]
        assert found == after.json()
    # An idempotent repetition shows them too.
    named = {"Idempotency-Key": str(uuid4())}
    again = client.post("/v1/jobs", json=SPEC, headers=named).json()
    client.patch(f"/v1/jobs/{again['id']}", json={"tags": ["kept"]})
    assert client.post("/v1/jobs", json=SPEC, headers=named).json()["tags"] == ["kept"]
    assert client.patch(here, json={"tags": ["c"]}).json()["note"] == "For Monday."
    assert client.get(here).json()["tags"] == ["c"]
    assert client.get("/v1/jobs", params={"tag": word}).json()["items"] == []
    assert client.patch(here, json={"tags": [], "note": None}).json()["note"] is None
    assert client.get(here).json()["tags"] == []
    client.patch(here, json={"tags": ["d"]})
    assert client.delete(here).status_code == 204


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"tags": ["x" * 41]}, ["body", "tags", 0]),
        ({"tags": [" "]}, ["body", "tags", 0]),
        ({"tags": [f"{at}" for at in range(11)]}, ["body", "tags"]),
        ({"note": "x" * 2001}, ["body", "note"]),
        ({"name": ""}, ["body", "name"]),
        ({"name": None}, ["body", "name"]),
        ({"spec": {}}, ["body", "spec"]),
    ],
)
def test_a_change_that_is_not_allowed_is_refused(
    client: httpx.Client, job: dict[str, Any], changes: dict[str, Any], place: list[str | int]
) -> None:
    answer = client.patch(f"/v1/jobs/{job['id']}", json=changes)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == place


def test_a_job_that_is_not_there_cannot_be_changed(client: httpx.Client) -> None:
    assert client.patch(f"/v1/jobs/{uuid4()}", json={"note": "?"}).status_code == 404
