"""Chapter 7. The same job runs on surfaces, formulas, quadratics and networks, and with schedules of the rate."""

from typing import Any

import httpx
import pytest

from tests.servers import wait_for_job

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

PROBLEMS: dict[str, dict[str, Any]] = {
    "a surface with a name": {"kind": "surface", "name": "himmelblau"},
    "a formula of x and y": {"kind": "surface", "expression": "x**2 + 3*y**2 + sin(x)", "start": [2, 1]},
    "a quadratic with given eigenvalues": {"kind": "quadratic", "eigenvalues": [1, 10, 30], "start": [1, 1, 1]},
    "a network that transposes images": {"kind": "flipnet"},
    "a network that reads handwritten digits": {"kind": "digits", "model": "mlp", "hidden": 8, "train_size": 160},
    "a network that separates points of a plane": {"kind": "playground"},
}


# Half the rate every second epoch.
SCHEDULE = {"kind": "step", "decay_steps": 2, "factor": 0.5, "per": "epoch"}


def losses(client: httpx.Client, problem: dict[str, Any], **optimizer: Any) -> list[float]:
    spec = {"problem": problem, "optimizers": [{"kind": "adam", "lr": 0.01, **optimizer}], "epochs": 5}
    job = wait_for_job(client, client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
    assert job["status"] == "completed", job["error"]
    (run,) = client.get(f"/v1/jobs/{job['id']}/metrics").json()["runs"]
    found: list[float] = run["loss"]
    return found


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("name", PROBLEMS)
def test_adam_lowers_the_loss_of_every_kind_of_problem(client: httpx.Client, name: str) -> None:
    loss = losses(client, PROBLEMS[name])
    assert loss[-1] < loss[0]


def test_the_catalogue_lists_every_problem_and_optimizer_with_a_json_schema(client: httpx.Client) -> None:
    kinds = {one["kind"] for one in client.get("/v1/problems").json()["items"]}
    assert {problem["kind"] for problem in PROBLEMS.values()} <= kinds
    optimizers = {one["kind"] for one in client.get("/v1/optimizers").json()["items"]}
    assert {"sgd", "momentum", "nesterov", "adam", "lion", "muon"} <= optimizers


def test_a_schedule_changes_the_learning_rate_from_epoch_to_epoch(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "sgd", "lr": 0.1, "schedule": SCHEDULE}],
        "epochs": 6,
    }
    job = wait_for_job(client, client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
    (run,) = client.get(f"/v1/jobs/{job['id']}/metrics", params={"fields": "lr"}).json()["runs"]
    assert run["lr"][1:] == [0.1, 0.1, 0.05, 0.05, 0.025, 0.025]


def test_an_optimizer_of_your_own_is_trained_compared_and_exported_like_a_built_in_one(client: httpx.Client) -> None:
    own = {
        "kind": "formula",
        "label": "my momentum",
        "lr": 0.02,
        "state": {"v": 0},
        "parameters": {"beta": [0.5, 0.9]},
        "update": ["v = beta*v + g", "w = w - lr*v"],
    }
    spec = {
        "problem": {"kind": "flipnet"},
        "optimizers": [own, {"kind": "momentum", "lr": 0.02, "momentum": 0.9}],
        "seeds": {"first": 0, "count": 6},
        "epochs": 5,
    }
    job = wait_for_job(client, client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
    assert job["status"] == "completed", job["error"]
    of_label = {one["label"]: one for one in client.get(f"/v1/jobs/{job['id']}/metrics").json()["runs"]}
    assert of_label["my momentum beta=0.9"]["loss"] == of_label["momentum"]["loss"]
    compared = client.get(f"/v1/jobs/{job['id']}/comparison", params={"tuned": False}).json()
    assert set(compared["best"]) <= {"my momentum beta=0.5", "my momentum beta=0.9", "momentum"}
    (first, *_) = client.get(f"/v1/jobs/{job['id']}/runs").json()["items"]
    assert first["optimizer"]["parameters"] == {"beta": 0.5}
    header, line, *_ = client.get(f"/v1/jobs/{job['id']}/runs", params={"format": "csv"}).text.splitlines()
    assert "optimizer.parameters.beta" in header.split(",")
    assert line
