"""Decision maps of playground networks over HTTP, on both databases; they are deleted with the job."""

from typing import Any

import httpx
import numpy as np

from tests.servers import until, wait_for_job

SPEC = {
    "problem": {"kind": "playground", "dataset": "gaussians", "size": 100, "activation": "linear"},
    "optimizers": [{"label": "good", "kind": "adam", "lr": 0.05}, {"label": "bad", "kind": "sgd", "lr": 1e30}],
    "epochs": 20,
}


def test_the_decision_of_a_run_is_a_grid_of_probabilities_and_diverged_runs_have_none(client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json=SPEC).json()
    assert wait_for_job(client, job["id"])["status"] == "completed"
    good, bad = client.get(job["links"]["runs"]).json()["items"]
    assert (good["status"], bad["status"]) == ("completed", "diverged")
    decision = client.get(f"/v1/runs/{good['id']}/decision").json()
    values = np.array(decision["values"])
    assert (decision["run_id"], decision["epoch"]) == (good["id"], 20)
    assert values.shape == (len(decision["y"]), len(decision["x"]))
    assert decision["x"][0] == -decision["x"][-1]
    # Class 1 is on the upper right.
    assert values[-1, -1] > 0.9
    assert values[0, 0] < 0.1
    # The weights at every epoch; those at the end make the map.
    network = client.get(f"/v1/runs/{good['id']}/network").json()
    assert (network["widths"], network["activation"]) == ([2, 8, 1], "linear")
    assert (network["features"], network["output"]) == (["x", "y"], "sigmoid")
    assert network["epochs"] == list(range(21))
    first, bias, second, last = np.split(np.array(network["weights"][-1]), [16, 24, 32])
    x, y = np.meshgrid(decision["x"], decision["y"])
    hidden = np.stack([x, y], axis=-1) @ first.reshape(8, 2).T + bias
    np.testing.assert_allclose(1 / (1 + np.exp(-(hidden @ second + last))), values, atol=0.02)
    assert client.get(f"/v1/runs/{bad['id']}/network").status_code == 404
    absent = client.get(f"/v1/runs/{bad['id']}/decision")
    assert absent.status_code == 404
    assert "playground" in absent.json()["detail"]
    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert client.get(f"/v1/runs/{good['id']}/decision").status_code == 404


def test_weights_of_a_run_that_is_trained_are_those_of_its_last_checkpoint(client: httpx.Client) -> None:
    long = {"kind": "playground", "dataset": "hills", "features": ["x", "sin_y"], "widths": [4], "size": 2_000}
    spec = {"problem": long, "optimizers": [{"kind": "sgd", "lr": 0.1}], "epochs": 100_000, "record_every": 100_000}
    job = client.post("/v1/jobs", json=spec).json()
    (run,) = client.get(job["links"]["runs"]).json()["items"]

    def so_far() -> dict[str, Any] | None:
        answer = client.get(f"/v1/runs/{run['id']}/network")
        return answer.json() if answer.status_code == 200 else None

    network = until(so_far)
    assert (network["features"], network["widths"], network["output"]) == (["x", "sin_y"], [2, 4, 1], "linear")
    assert network["epochs"][0] == 0
    assert len(network["epochs"]) == len(network["weights"]) < 61
    assert client.post(f"/v1/jobs/{job['id']}/cancel").status_code == 202
    assert wait_for_job(client, job["id"])["status"] == "cancelled"
