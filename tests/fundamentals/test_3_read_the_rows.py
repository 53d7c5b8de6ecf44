"""Chapter 3. Every epoch of every run is a row in the database; its fields are read as JSON, CSV or Parquet."""

import csv
import io
from typing import Any

import httpx
import pytest

from tests.servers import Stack, wait_for_job

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

# The ravine is x² + 10 y²: across it the curvature is 20, so gradient descent is stable up to a learning rate of 0.1.
SPEC: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine", "start": [5.0, 2.0]},
    "optimizers": [{"label": "stable", "kind": "sgd", "lr": 0.05}, {"label": "too fast", "kind": "sgd", "lr": 0.2}],
    "epochs": 40,
}


@pytest.fixture(scope="module")
def job_id(stack: Stack) -> str:
    """One job for all tests of this chapter."""
    with stack.client() as client:
        return str(wait_for_job(client, client.post("/v1/jobs", json=SPEC).json()["id"])["id"])


def test_a_history_has_one_row_per_epoch_beginning_with_the_start(client: httpx.Client, job_id: str) -> None:
    stable = client.get(f"/v1/jobs/{job_id}/metrics").json()["runs"][0]
    assert stable["epoch"] == list(range(41))
    assert stable["loss"][0] == 5.0**2 + 10 * 2.0**2
    # One step of x is x - 0.05 · 2 x = 0.9 x, and one of y is y - 0.05 · 20 y = 0.
    assert stable["position"][1] == pytest.approx([4.5, 0.0], abs=1e-12)
    assert stable["position"][2] == pytest.approx([4.05, 0.0], abs=1e-12)


def test_a_query_chooses_fields_labels_and_epochs(client: httpx.Client, job_id: str) -> None:
    query = {"fields": "loss,grad_norm", "labels": "stable", "from_epoch": 10, "to_epoch": 12}
    (run,) = client.get(f"/v1/jobs/{job_id}/metrics", params=query).json()["runs"]
    assert run["epoch"] == [10, 11, 12]
    assert {"loss", "grad_norm"} <= set(run)
    assert "position" not in run


def test_a_run_that_diverges_is_a_result_with_its_rows_up_to_there(client: httpx.Client, job_id: str) -> None:
    job = client.get(f"/v1/jobs/{job_id}").json()
    assert job["status"] == "completed"
    _, fast = client.get(f"/v1/jobs/{job_id}/runs").json()["items"]
    assert fast["status"] == "diverged"
    assert fast["diverged_epoch"] < 40
    history = client.get(f"/v1/runs/{fast['id']}/metrics").json()
    assert history["epoch"][-1] == fast["diverged_epoch"]


def test_csv_has_the_numbers_of_the_json_to_the_last_digit(client: httpx.Client, job_id: str) -> None:
    query = {"fields": "loss", "labels": "stable"}
    (run,) = client.get(f"/v1/jobs/{job_id}/metrics", params=query).json()["runs"]
    table = client.get(f"/v1/jobs/{job_id}/metrics", params={**query, "format": "csv"}).text
    assert [float(row["loss"]) for row in csv.DictReader(io.StringIO(table))] == run["loss"]


def test_a_thinned_history_keeps_its_first_and_last_point(client: httpx.Client, job_id: str) -> None:
    query = {"labels": "stable", "max_points": 5}
    (run,) = client.get(f"/v1/jobs/{job_id}/metrics", params=query).json()["runs"]
    assert len(run["epoch"]) <= 5
    assert (run["epoch"][0], run["epoch"][-1]) == (0, 40)
