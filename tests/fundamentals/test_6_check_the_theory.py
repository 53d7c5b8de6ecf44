"""Chapter 6. On quadratics theory predicts limits and rates of convergence; the measured rows agree with it."""

from typing import Any

import httpx
import pytest

from tests.servers import wait_for_job

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

RAVINE = {"kind": "surface", "name": "ravine"}


def predict(client: httpx.Client, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/v1/theory", json={"problem": RAVINE, **query}).raise_for_status().json()
    return found


def train(client: httpx.Client, *optimizers: dict[str, Any]) -> str:
    spec = {"problem": RAVINE, "optimizers": list(optimizers), "epochs": 150}
    return str(wait_for_job(client, client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])["id"])


def test_gradient_descent_converges_inside_the_predicted_limit_and_diverges_outside(client: httpx.Client) -> None:
    limit = predict(client, optimizer="sgd")["setting"]["lr_limit"]
    assert limit == pytest.approx(2 / 20)  # Two over the largest curvature.
    inside, outside = {"kind": "sgd", "lr": 0.95 * limit}, {"kind": "sgd", "lr": 1.5 * limit}
    job_id = train(client, {"label": "inside", **inside}, {"label": "outside", **outside})
    runs = {run["label"]: run for run in client.get(f"/v1/jobs/{job_id}/runs").json()["items"]}
    assert runs["inside"]["status"] == "completed"
    assert runs["inside"]["final_loss"] < 1e-6
    assert runs["outside"]["status"] == "diverged"


def test_the_measured_rate_of_convergence_is_the_predicted_one(client: httpx.Client) -> None:
    job_id = train(client, {"kind": "sgd", "lr": 0.02}, {"kind": "momentum", "lr": 0.02, "momentum": 0.5})
    theory = client.get(f"/v1/jobs/{job_id}/comparison").json()["theory"]
    for setting in theory["settings"]:
        assert setting["measured_rate"] == pytest.approx(setting["rate"], abs=0.01)


def test_momentum_at_its_best_setting_needs_fewer_steps_than_gradient_descent_at_its_own(
    client: httpx.Client,
) -> None:
    best = {one["kind"]: one for one in predict(client, optimizer="sgd")["problem"]["best"]}
    sgd = {"kind": "sgd", "lr": best["sgd"]["lr"]}
    momentum = {"kind": "momentum", "lr": best["momentum"]["lr"], "momentum": best["momentum"]["momentum"]}
    job_id = train(client, {"label": "sgd", **sgd}, {"label": "momentum", **momentum})
    histories = client.get(f"/v1/jobs/{job_id}/metrics", params={"fields": "loss"}).json()["runs"]
    steps = {run["label"]: next(at for at, loss in enumerate(run["loss"]) if loss < 1e-6) for run in histories}
    assert steps["momentum"] < steps["sgd"]
