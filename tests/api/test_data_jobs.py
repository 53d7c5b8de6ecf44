"""Jobs on data over HTTP: what they refer to in their dataset is filled in, checked, and trained."""

from typing import Any

import httpx
import pytest

from tests.servers import wait_for_job

ADAM = [{"kind": "adam", "lr": 0.05}]


def body(problem: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"problem": {"kind": "data", **problem}, "optimizers": ADAM, "epochs": 5, **more}


def refused(client: httpx.Client, problem: dict[str, Any], **more: Any) -> list[tuple[list[Any], str]]:
    answer = client.post("/v1/jobs", json=body(problem, **more), params={"dry_run": True})
    assert answer.status_code == 422, answer.text
    return [(error["loc"], error["msg"]) for error in answer.json()["errors"]]


@pytest.mark.slow(after=1)
def test_a_job_on_a_table_has_its_sizes_and_trains(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs", json=body({"dataset": "iris"}))
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert job["name"] == "adam on iris"
    problem = job["spec"]["problem"]
    assert problem["resolved"]["digest"]
    assert (problem["scale"], problem["l2"], problem["missing"], problem["validation_share"]) == (
        *("standard", 0.0, "refuse", 0.0),
    )
    assert (job["spec"]["batch_size"], job["spec"]["dtype"], job["spec"]["shuffle"]) == ("full", "float64", False)
    assert wait_for_job(client, job["id"])["status"] == "completed"
    history = client.get(f"/v1/jobs/{job['id']}/metrics").json()["runs"][0]
    assert history["loss"][-1] < history["loss"][0]
    assert {"test_loss", "accuracy", "test_accuracy"} <= set(history)
    again = client.post("/v1/jobs", json=job["spec"])
    assert (again.status_code, again.json()["spec"]) == (202, job["spec"])


def test_a_regression_has_r2_and_a_grid_has_a_validation_loss(client: httpx.Client) -> None:
    grid = [{"label": "sgd", "kind": "sgd", "lr": [0.01, 0.1]}]
    model = {"kind": "mlp", "widths": [4], "activation": "gelu"}
    job = client.post("/v1/jobs", json=body({"dataset": "diabetes", "model": model}, optimizers=grid)).json()
    assert job["spec"]["problem"]["validation_share"] == 0.2
    assert (job["spec"]["batch_size"], job["spec"]["dtype"], job["spec"]["shuffle"]) == (32, "float32", True)
    assert wait_for_job(client, job["id"])["status"] == "completed"
    history = client.get(f"/v1/jobs/{job['id']}/metrics").json()["runs"][1]
    assert {"validation_loss", "test_loss", "r2", "test_r2"} <= set(history)
    assert history["r2"][-1] > history["r2"][0]
    compared = client.get(f"/v1/jobs/{job['id']}/comparison")
    assert compared.status_code == 200, compared.text
    report = client.get(f"/v1/jobs/{job['id']}/report?format=md")
    assert "mlp on diabetes with 49 parameters" in report.text
    theory = client.get(f"/v1/jobs/{job['id']}/theory")
    assert theory.status_code < 500, theory.text


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("problem", "more", "place", "sentence"),
    [
        ({"dataset": "houses"}, {}, ["problem", "dataset"], "there is no dataset 'houses'"),
        ({"dataset": "iris", "target": "colour"}, {}, ["problem", "target"], "there are sepal"),
        ({"dataset": "iris", "model": {"kind": "cnn"}}, {}, ["problem", "model"], "images"),
        ({"dataset": "zipf"}, {}, ["problem", "model"], "transformer"),
        ({"dataset": "iris", "train_size": 121}, {}, ["problem", "train_size"], "at most 120"),
        ({"dataset": "iris", "test_share": 0.99, "validation_share": 0.005}, {}, ["problem"], "no rows are left"),
        ({"dataset": "iris"}, {"batch_size": 121}, ["batch_size"], "from 1 to 120"),
        ({"dataset": "zipf", "model": {"kind": "transformer"}, "scale": "none"}, {}, ["problem", "scale"], "left out"),
        ({"dataset": "iris", "test_share": 0.5, "validation_share": 0.5}, {}, ["problem"], "must leave rows"),
        (
            {"dataset": "iris", "model": {"kind": "mlp", "widths": [0]}},
            {},
            ["problem", "model", "widths", 0],
            "greater than or equal to 1",
        ),
        ({"dataset": "iris", "label_noise": 0.1, "task": "regression"}, {}, ["problem", "label_noise"], "no labels"),
    ],
)
def test_what_does_not_fit_the_data_is_refused_at_its_place(
    client: httpx.Client, problem: dict[str, Any], more: dict[str, Any], place: list[Any], sentence: str
) -> None:
    errors = refused(client, problem, **more)
    assert errors[0][0] == ["body", *place]
    assert sentence in errors[0][1]


def test_what_was_resolved_before_must_match_the_data(client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json=body({"dataset": "iris"})).json()
    problem = job["spec"]["problem"]
    problem["resolved"]["rows"] = 149
    assert refused(client, problem)[0][0] == ["body", "problem", "resolved"]


@pytest.mark.slow(after=1)
def test_a_job_trains_on_an_uploaded_table_which_cannot_be_deleted_meanwhile(client: httpx.Client) -> None:
    lines = [f"{row % 7},{'abc'[row % 3]},{(row % 7) * 2 + (row % 3)}" for row in range(60)]
    content = "\n".join(["rooms,town,price", *lines]).encode()
    headers = {"Content-Type": "text/csv"}
    uploaded = client.post("/v1/datasets", params={"name": "houses"}, content=content, headers=headers)
    assert uploaded.status_code in (200, 201), uploaded.text
    dataset = uploaded.json()
    answer = client.post("/v1/jobs", json=body({"dataset": dataset["id"], "target": "price"}))
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert job["spec"]["problem"]["resolved"] == {
        "digest": dataset["digest"], "rows": 60, "features": 4, "classes": None, "shape": None,
    }  # fmt: skip
    ended = wait_for_job(client, job["id"])
    assert ended["status"] == "completed", ended["error"]
    assert ended["receipt"]["dataset_digest"] == dataset["digest"]
    history = client.get(f"/v1/jobs/{job['id']}/metrics").json()["runs"][0]
    assert history["r2"][-1] > history["r2"][0]
    long = client.post("/v1/jobs", json=body({"dataset": dataset["id"]}, epochs=1_000_000, record_every=10**5)).json()
    assert client.delete(f"/v1/datasets/{dataset['id']}").status_code == 409
    client.post(f"/v1/jobs/{long['id']}/cancel")
    assert wait_for_job(client, long["id"])["status"] == "cancelled"
    assert client.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    assert refused(client, {"dataset": dataset["id"]})[0][0] == ["body", "problem", "dataset"]


def test_a_search_on_uploaded_data_is_named_in_words_and_warns_of_the_end_of_its_trials(client: httpx.Client) -> None:
    rows = "\n".join(f"{x},{x * 2 % 7},{'ab'[x % 2]}" for x in range(60))
    upload = {"content": f"x,y,kind\n{rows}", "headers": {"Content-Type": "text/csv"}, "params": {"name": "leaves"}}
    dataset = client.post("/v1/datasets", **upload).json()["id"]
    searched = [{"kind": "sgd", "lr": {"from": 0.01, "to": 0.1, "scale": "log"}}]
    more = {"search": {"trials": 2}, "seeds": {"first": 0, "count": 2}}
    job = client.post("/v1/jobs", json=body({"dataset": dataset, "target": "kind"}, optimizers=searched, **more)).json()
    assert job["name"] == "sgd on own data"
    assert wait_for_job(client, job["id"])["status"] == "completed"
    warnings = client.get(f"/v1/jobs/{job['id']}/comparison").json()["warnings"]
    assert any("of its trials: a better one may lie beyond" in warning["sentence"] for warning in warnings)
    report = client.get(f"/v1/jobs/{job['id']}/report?format=md").text
    assert "How does SGD do on linear on leaves?" in report
    assert "dataset leaves" in report
    assert client.delete(f"/v1/datasets/{dataset}").status_code == 204
