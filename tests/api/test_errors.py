"""Errors of requests name the place and what is allowed there, and nothing is stored."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.databases("postgresql")

SGD = {"kind": "sgd", "lr": 0.05}
GOOD: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": [SGD], "epochs": 3}

WRONG: list[tuple[dict[str, Any], list[Any], str]] = [
    ({"optimizers": [{"kind": "sgd", "lr": 0}]}, ["body", "optimizers", 0, "lr"], "above 0"),
    (
        {"optimizers": [{"kind": "momentum", "lr": 0.1, "momentum": 1}]},
        ["body", "optimizers", 0, "momentum"],
        "at least 0 and below 1",
    ),
    ({"optimizers": [SGD, {"kind": "sdg", "lr": 1}]}, ["body", "optimizers", 1, "kind"], "sgd, momentum"),
    ({"optimizers": [{**SGD, "rate": 1}]}, ["body", "optimizers", 0, "rate"], "there are kind, label, lr"),
    ({"optimizers": [{**SGD, "label": "a"}, {**SGD, "label": "a"}]}, ["body", "optimizers", 1, "label"], "twice"),
    ({"optimizers": [{"kind": "sgd", "lr": []}]}, ["body", "optimizers", 0, "lr"], "at least 1"),
    (
        {"optimizers": [{**SGD, "schedule": {"kind": "step", "decay_steps": 99}}]},
        ["body", "optimizers", 0, "schedule", "decay_steps"],
        "at most 48",
    ),
    (
        {"optimizers": [{**SGD, "schedule": {"kind": "step", "decay": 9, "decay_steps": 9}}]},
        ["body", "optimizers", 0, "schedule", "decay"],
        "there are kind, per, warmup_steps",
    ),
    ({"optimizers": [{**SGD, "schedule": {"kind": "stairs"}}]}, ["body", "optimizers", 0, "schedule", "kind"], "step"),
    (
        {"problem": {"kind": "surface", "name": "ravine"}, "optimizers": [{"kind": "muon", "lr": 1}]},
        ["body", "optimizers", 0, "kind"],
        "matrices",
    ),
    ({"problem": {"kind": "surfaces"}}, ["body", "problem", "kind"], "flipnet, surface, quadratic"),
    ({"problem": {"kind": "surface", "name": "ravin"}}, ["body", "problem", "name"], "ravine"),
    ({"problem": {"kind": "surface", "name": "ravine", "start": [1, 2, 3]}}, ["body", "problem", "start"], "2 numbers"),
    ({"problem": {"kind": "surface", "expression": "x ** ", "start": [1]}}, ["body", "problem", "expression"], ""),
    ({"problem": {"kind": "surface", "expression": "import os", "start": [1]}}, ["body", "problem", "expression"], ""),
    ({"seeds": {"count": 1_000_000}, "optimizers": [SGD, SGD]}, ["body", "optimizers"], "at most 1,000,000"),
    ({"seeds": {"count": 1_000_000}, "epochs": 1_000_000}, ["body", "epochs"], "at most 50,000,000"),
    ({"seeds": {"count": 1_000_000}, "epochs": 10_000_000, "record_every": 10_000_000}, ["body", "epochs"], "at most"),
    (
        {"optimizers": [{"kind": "formula", "lr": 1, "update": ["v = g", "w = w - lr*u", "a = v"]}]},
        ["body", "optimizers", 0, "update", 1],
        "'u' at character 12 is not a name that a formula may use. A formula is made of w, g, t, lr, normal, v,",
    ),
    (
        {"optimizers": [SGD, {"kind": "formula", "lr": 1, "update": ["w = g"], "state": {"formula": 0, "t": 0}}]},
        ["body", "optimizers", 1, "state", "t"],
        "'t' is a name of every rule",
    ),
    ({"extra": 1}, ["body", "extra"], "there is no field 'extra'"),
]  # fmt: skip


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(("changes", "place", "allowed"), WRONG, ids=[str(place[1:]) for _, place, _ in WRONG])
def test_a_wrong_spec_is_refused_with_its_place_and_nothing_is_stored(
    client: httpx.Client, changes: dict[str, Any], place: list[Any], allowed: str
) -> None:
    before = client.get("/v1/jobs?limit=1").json()["items"]
    answer = client.post("/v1/jobs", json=GOOD | changes)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "instance", "errors"} <= set(problem)
    assert [error["loc"] for error in problem["errors"]] == [place]
    assert allowed in problem["errors"][0]["msg"]
    after = client.get("/v1/jobs?limit=1").json()["items"]
    assert [job["id"] for job in after] == [job["id"] for job in before]


def test_what_is_not_json_is_refused(client: httpx.Client) -> None:
    for body in ("{", "", "[1, 2", '{"epochs": NaN}', "null", "[]", '"text"'):
        answer = client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, body
        assert answer.json()["errors"], body


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=501", "limit=x", "status=done", "problem=chess", "unknown=1"]
)
def test_a_wrong_query_is_refused(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/v1/jobs?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["query", query.split("=")[0]]


@pytest.mark.parametrize("cursor", ["x", "WyJydW5zIiwxXQ", "W10", "%00", "bnVsbA", "🙂"])
def test_a_forged_cursor_is_400(client: httpx.Client, cursor: str) -> None:
    assert client.get("/v1/jobs", params={"cursor": cursor}).status_code == 400


def test_a_wrong_method_is_405_and_a_wrong_path_404(client: httpx.Client) -> None:
    for answer, status in ((client.put("/v1/jobs"), 405), (client.get("/v2/jobs"), 404)):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
