"""The numbers of heat maps over HTTP: values and runs of each cell."""

from typing import Any

import httpx
import numpy as np
import pytest

from tests.servers import Stack, wait_for_job

pytestmark = pytest.mark.databases("postgresql")

SPEC: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine", "noise": 0.1},
    "optimizers": [
        {"label": "sgd", "kind": "sgd", "lr": [0.01, 0.02]},
        {
            "label": "momentum", "kind": "momentum", "lr": [0.005, 0.01, 3.0], "momentum": [0.5, 0.9],
            "weight_decay": [0.1, 0.0],
        },
    ],
    "seeds": {"first": 0, "count": 4},
    "epochs": 40,
    "target_loss": 5.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def job(stack: Stack) -> str:
    """The job of these tests, submitted once on each kind of database."""
    with stack.client() as client:
        posted = client.post("/v1/jobs", json=SPEC).raise_for_status().json()
        assert wait_for_job(client, posted["id"])["status"] == "completed"
    return str(posted["id"])


def grid(client: httpx.Client, job: str, **query: Any) -> dict[str, Any]:
    return dict(client.get(f"/v1/jobs/{job}/grid", params=query).raise_for_status().json())


def runs_of(client: httpx.Client, job: str) -> list[dict[str, Any]]:
    return list(client.get(f"/v1/jobs/{job}/runs", params={"limit": 500}).json()["items"])


def test_a_cell_is_the_median_of_its_runs_at_the_best_of_the_other_settings(client: httpx.Client, job: str) -> None:
    found = grid(client, job)
    assert found["label"] == "momentum"
    assert found["x"] == {"name": "lr", "values": [0.005, 0.01, 3.0]}
    assert found["y"] == {"name": "momentum", "values": [0.5, 0.9]}
    assert found["others"] == ["weight_decay"]
    assert (found["runs_per_setting"], found["num_observations"]) == (4, 4)
    runs = runs_of(client, job)
    for row, momentum in enumerate([0.5, 0.9]):
        for column, lr in enumerate([0.005, 0.01]):
            medians = [
                np.median([
                    run["final_loss"] for run in runs
                    if [run["optimizer"][name] for name in ("lr", "momentum", "weight_decay")] == [lr, momentum, decay]
                ])
                for decay in [0.1, 0.0]
            ]  # fmt: skip
            assert found["values"][row][column] == pytest.approx(min(medians))
            shown = runs[found["first_run"][row][column] :][:4]
            assert [run["seed"] for run in shown] == [0, 1, 2, 3]
            assert {run["label"] for run in shown} == {shown[0]["label"]}
            assert np.median([run["final_loss"] for run in shown]) == pytest.approx(min(medians))
    assert [row[2] for row in found["values"]] == ["Infinity", "Infinity"]


def test_axes_can_be_exchanged_and_the_share_of_diverged_runs_is_a_number(client: httpx.Client, job: str) -> None:
    found = grid(client, job, value="diverged", x="weight_decay", y="lr")
    assert found["y"]["values"] == [0.005, 0.01, 3.0]
    assert found["values"] == [[0, 0], [0, 0], [1, 1]]
    assert found["others"] == ["momentum"]


def test_epochs_to_a_target_are_those_of_the_histories(client: httpx.Client, job: str) -> None:
    found = grid(client, job, value="epochs_to_target", target=20.0)
    assert found["target"] == 20.0
    assert grid(client, job, value="epochs_to_target")["target"] == 5.0
    first = found["first_run"][1][1]
    histories = client.get(
        f"/v1/jobs/{job}/metrics", params={"runs": ",".join(map(str, range(first, first + 4))), "fields": "loss"}
    ).json()["runs"]
    epochs = [next(e for e, loss in zip(h["epoch"], h["loss"], strict=True) if loss <= 20.0) for h in histories]
    assert found["values"][1][1] == np.median(epochs)
    assert found["values"][1][2] == "Infinity"


def test_an_unchanged_grid_is_answered_304_and_another_query_is_not(client: httpx.Client, job: str) -> None:
    first = client.get(f"/v1/jobs/{job}/grid")
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get(f"/v1/jobs/{job}/grid", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"/v1/jobs/{job}/grid", params={"value": "diverged"}, headers=known).status_code == 200


def test_cells_without_a_row_are_null(client: httpx.Client) -> None:
    long = {**SPEC, "name": "long", "epochs": 100_000, "record_every": 1_000}
    job = client.post("/v1/jobs", json=long).raise_for_status().json()["id"]
    client.post(f"/v1/jobs/{job}/cancel")
    wait_for_job(client, job)
    values = np.array(grid(client, job)["values"], dtype=object)
    assert values.shape == (2, 3)
    assert all(value is None or value == "Infinity" or isinstance(value, float) for value in values.flat)


@pytest.mark.parametrize(
    ("query", "place", "allowed"),
    [
        ({"x": "beta1"}, "x", "lr, momentum, weight_decay"),
        ({"x": "lr", "y": "lr"}, "y", "must differ"),
        ({"label": "sgd"}, "label", "there are momentum"),
        ({"value": "colour"}, "value", "'final_loss', 'epochs_to_target' or 'diverged'"),
        ({"width": 3}, "width", ""),
    ],
)
def test_unknown_axes_and_labels_are_rejected_with_the_known_ones(
    client: httpx.Client, job: str, query: dict[str, Any], place: str, allowed: str
) -> None:
    answer = client.get(f"/v1/jobs/{job}/grid", params=query)
    assert answer.status_code == 422
    assert allowed in answer.json()["detail"]
    assert answer.json()["errors"][0]["loc"] == ["query", place]


def test_a_job_without_a_grid_is_rejected_with_what_a_grid_needs(client: httpx.Client) -> None:
    flat = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 2}
    job = client.post("/v1/jobs", json=flat).raise_for_status().json()["id"]
    wait_for_job(client, job)
    assert "two hyper-parameters" in client.get(f"/v1/jobs/{job}/grid").json()["detail"]
    assert client.get(f"/v1/jobs/{'0' * 36}/grid").status_code == 404
