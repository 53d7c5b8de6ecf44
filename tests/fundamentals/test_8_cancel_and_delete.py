"""Chapter 8. A cancelled job stops and keeps its rows; a job that has ended can be deleted with its rows."""

from typing import Any

import httpx
import pytest

from tests.servers import until, wait_for_job

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

# Minutes of training; no test waits for its end.
LONG: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": 0.001}],
    "epochs": 5_000_000,
    "record_every": 100_000,
}


def test_a_cancelled_job_keeps_the_rows_that_were_stored(client: httpx.Client) -> None:
    job_id = client.post("/v1/jobs", json=LONG).raise_for_status().json()["id"]
    until(lambda: client.get(f"/v1/jobs/{job_id}").json()["progress"]["epochs_done"] > 0)
    answer = client.post(f"/v1/jobs/{job_id}/cancel")
    assert answer.status_code == 202
    ended = wait_for_job(client, job_id)
    assert ended["status"] == "cancelled"
    (run,) = client.get(f"/v1/jobs/{job_id}/metrics").json()["runs"]
    assert 0 < len(run["epoch"]) < 51


def test_a_job_is_deleted_with_its_runs_and_rows_once_it_has_ended(client: httpx.Client) -> None:
    spec = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 3}
    job_id = wait_for_job(client, client.post("/v1/jobs", json=spec).json()["id"])["id"]
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    for path in ("", "/runs", "/metrics", "/comparison"):
        assert client.get(f"/v1/jobs/{job_id}{path}").status_code == 404
