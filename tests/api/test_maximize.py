"""Jobs that maximise the loss: the best loss is the largest, and errors have their place in the body."""

from typing import Any

import httpx

from tests.servers import wait_for_job

# Rate 10 multiplies x by 21 at each update, and diverges.
CLIMB: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "parabola", "start": [5.0]},
    "optimizers": [{"kind": "sgd", "lr": [10.0, 0.01, 0.1], "maximize": True}],
    "epochs": 6,
}


def test_the_best_loss_of_a_run_that_maximises_is_the_largest_one(client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json=CLIMB).json()
    assert wait_for_job(client, job["id"])["status"] == "completed"
    runs = client.get(f"/v1/jobs/{job['id']}/runs").json()["items"]
    assert [run["status"] for run in runs] == ["diverged", "completed", "completed"]
    for run in runs[1:]:
        losses = client.get(f"/v1/runs/{run['id']}/metrics", params={"fields": "loss"}).json()["loss"]
        assert losses == sorted(losses)
        assert (run["best_loss"], run["best_epoch"]) == (losses[-1], 6)
    for sort in ("final_loss", "best_loss"):
        query = {"sort": sort, "limit": 2}
        first = client.get(f"/v1/jobs/{job['id']}/runs", params=query).json()
        second = client.get(f"/v1/jobs/{job['id']}/runs", params={**query, "cursor": first["next"]}).json()
        assert [run["index"] for run in first["items"] + second["items"]] == [2, 1, 0]
        table = client.get(f"/v1/jobs/{job['id']}/runs", params={"sort": sort, "format": "ndjson"})
        assert [line.split('"index":')[1][0] for line in table.text.splitlines()] == ["2", "1", "0"]


def test_entries_of_both_directions_are_rejected_at_the_place_of_the_second(client: httpx.Client) -> None:
    optimizers = [{"kind": "sgd", "lr": 0.1}, {"kind": "adam", "lr": 0.1, "maximize": True}]
    answer = client.post("/v1/jobs", json={**CLIMB, "optimizers": optimizers})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["loc"] == ["body", "optimizers", 1, "maximize"]
    assert "must be false as in the first entry" in error["msg"]


def test_a_criterion_that_the_problem_lacks_is_rejected_at_its_place(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs", json={**CLIMB, "criterion": "test_loss"})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["loc"] == ["body", "criterion"]
    assert "final_loss, best_loss, loss_area, epochs_to_target" in error["msg"]


def test_a_declared_criterion_is_shown_in_the_spec_of_the_job(client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json={**CLIMB, "criterion": "best_loss"}).json()
    assert job["spec"]["criterion"] == "best_loss"
    assert "criterion" not in client.post("/v1/jobs", json=CLIMB).json()["spec"]
