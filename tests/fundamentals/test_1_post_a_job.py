"""Chapter 1. A job is one JSON document with a problem, optimizers, seeds and epochs."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.servers import wait_for_job

# These chapters run on SQLite; the tests of each room run on PostgreSQL too.
pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

# FlipNet is a network of 31 parameters that learns to transpose images of 2×2 pixels.
SPEC: dict[str, Any] = {
    "name": "SGD against momentum",
    "problem": {"kind": "flipnet"},
    "optimizers": [
        {"label": "sgd", "kind": "sgd", "lr": 0.05},
        {"label": "momentum", "kind": "momentum", "lr": 0.05, "momentum": 0.9},
    ],
    "seeds": [1, 2, 3],
    "epochs": 10,
}


def test_a_posted_job_is_accepted_with_an_id_and_workers_train_it(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs", json=SPEC)
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    ended = wait_for_job(client, job["id"])
    assert ended["status"] == "completed"
    assert ended["progress"]["epochs_done"] == 60


def test_two_optimizers_and_three_seeds_make_six_runs(client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json=SPEC).json()
    runs = client.get(f"/v1/jobs/{job['id']}/runs").json()["items"]
    assert [(run["label"], run["seed"]) for run in runs] == [
        ("sgd", 1), ("sgd", 2), ("sgd", 3), ("momentum", 1), ("momentum", 2), ("momentum", 3)
    ]  # fmt: skip


def test_a_dry_run_counts_the_work_and_stores_nothing(client: httpx.Client) -> None:
    price = client.post("/v1/jobs?dry_run=true", json=SPEC).json()
    assert (price["runs_total"], price["epochs_total"]) == (6, 60)
    # Each run has a row for its start and one for each epoch.
    assert price["rows_total"] == 66
    assert "id" not in price


def test_a_wrong_spec_is_refused_with_the_place_of_the_error(client: httpx.Client) -> None:
    wrong = {**SPEC, "optimizers": [{"kind": "sgd", "lr": -0.05}]}
    answer = client.post("/v1/jobs", json=wrong)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    place = answer.json()["errors"][0]["loc"]
    assert (place[:3], place[-1]) == (["body", "optimizers", 0], "lr")


def test_a_request_repeated_with_its_idempotency_key_makes_one_job(client: httpx.Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, again = (client.post("/v1/jobs", json=SPEC, headers=key).json() for _ in range(2))
    assert first["id"] == again["id"]
