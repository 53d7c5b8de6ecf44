"""Presets: experiments that can be posted by name."""

import httpx
import pytest

from service.spec.presets import PRESETS
from tests.servers import wait_for_job

pytestmark = pytest.mark.databases("sqlite")


def test_every_preset_is_listed_and_has_its_spec(client: httpx.Client) -> None:
    items = client.get("/v1/presets").raise_for_status().json()["items"]
    assert [item["name"] for item in items] == list(PRESETS)
    for item in items:
        assert item["title"]
        assert item["sentence"].endswith((".", "?"))
    shown = client.get("/v1/presets/ravine-large-lr").raise_for_status().json()
    assert shown["spec"]["problem"] == {"kind": "surface", "name": "ravine", "start": [5, 2]}


def test_every_preset_is_valid_and_has_the_size_of_its_spec(client: httpx.Client) -> None:
    for name in PRESETS:
        dry_run = client.post("/v1/jobs?dry_run=true", json={"preset": name})
        assert dry_run.status_code == 200, (name, dry_run.text)
        spec = client.get(f"/v1/presets/{name}").json()["spec"]
        assert client.post("/v1/jobs?dry_run=true", json=spec).json() == dry_run.json()


def test_a_preset_is_posted_as_a_job_and_fields_replace_those_of_the_preset(client: httpx.Client) -> None:
    body = {"preset": "ravine-large-lr", "epochs": 3, "name": "shorter", "optimizers": [{"kind": "sgd", "lr": 0.04}]}
    answer = client.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    job = wait_for_job(client, answer.json()["id"])
    assert job["status"] == "completed"
    assert (job["name"], job["spec"]["epochs"], len(job["spec"]["optimizers"])) == ("shorter", 3, 1)
    assert job["spec"]["problem"]["name"] == "ravine"
    assert "preset" not in job["spec"]


@pytest.mark.parametrize("name", ["nope", "", 3, None, ["ravine-race"]])
def test_an_unknown_preset_is_rejected_with_the_known_names(client: httpx.Client, name: object) -> None:
    answer = client.post("/v1/jobs", json={"preset": name})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["loc"] == ["body", "preset"]
    assert "ravine-large-lr" in error["msg"]
    assert client.get("/v1/presets/nope").status_code == 404


def test_an_error_in_what_replaces_a_preset_is_placed_in_the_request(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs", json={"preset": "ravine-race", "epochs": 0})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "epochs"]


@pytest.mark.slow
def test_the_openapi_document_says_that_a_preset_may_be_posted(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    body = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {part["$ref"].rsplit("/", 1)[1] for part in body["anyOf"]} >= {"PresetJob"}
    assert len(body["anyOf"]) == 2
