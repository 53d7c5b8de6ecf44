"""A job that takes longer than its time limit fails, also inside an epoch, and keeps its rows."""

import pytest

from tests.chaos.conftest import Fragile, on
from tests.chaos.specs import SLOW, SMALL
from tests.servers import wait_for_job

pytestmark = on("sqlite")


@pytest.mark.slow
def test_a_job_beyond_its_time_limit_fails_with_the_reason(fragile: Fragile) -> None:
    fragile.wait_until_workers_are_up()
    # Much longer than the limit; its first rows are stored early.
    job_id = fragile.post({**SLOW, "problem": {**SLOW["problem"], "hidden": 2}, "time_limit_seconds": 3})
    job = wait_for_job(fragile.client, job_id)
    assert (job["status"], job["error"]["reason"]) == ("failed", "timeout")
    assert job["progress"]["epochs_done"] < job["progress"]["epochs_total"]
    first = fragile.client.get(f"/v1/jobs/{job_id}/runs?limit=1").json()["items"][0]
    assert first["status"] == "failed"
    history = fragile.client.get(f"/v1/runs/{first['id']}/metrics").json()
    # On a busy machine the limit may be over before the first row.
    was_recorded = first["final_loss"] is not None
    assert history["epoch"] == (list(range(first["epochs_done"] + 1)) if was_recorded else [])


def test_a_time_limit_above_the_allowed_one_is_rejected_with_its_place(fragile: Fragile) -> None:
    for limit, place in ((1e9, ["body", "time_limit_seconds"]), (0, ["body", "time_limit_seconds"])):
        answer = fragile.client.post("/v1/jobs", json={**SMALL, "time_limit_seconds": limit})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["loc"] == place
