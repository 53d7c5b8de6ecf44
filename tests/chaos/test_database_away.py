"""An outage of the database server costs time only: no epoch, no attempt, no restart."""

import time
from typing import Any

import httpx
import pytest

from tests.chaos.conftest import LEASE_SECONDS, Fragile
from tests.chaos.invariants import record_of, violations
from tests.chaos.specs import LONG
from tests.servers import wait_for_job


# SQLite has no server.
@pytest.mark.slow
@pytest.mark.parametrize("fragile", ["postgresql"], indirect=True)
def test_a_training_continues_after_an_outage_longer_than_a_lease(fragile: Fragile, expected: Any) -> None:
    assert fragile.postgres is not None
    fragile.wait_until_workers_are_up()
    job_id = fragile.post(LONG)
    fragile.wait_until_running(job_id, epoch=1)
    fragile.postgres.halt()
    try:
        away = time.monotonic()
        # Meanwhile the API answers 503 with Retry-After.
        answer = fragile.client.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        assert fragile.client.post("/v1/jobs", json=LONG).status_code == 503
        assert fragile.client.get("/readyz").status_code == 503
        assert fragile.client.get("/healthz").status_code == 200
        while time.monotonic() - away < LEASE_SECONDS + 1:
            time.sleep(0.1)
    finally:
        fragile.postgres.resume()
    fragile.wait(lambda: answers(fragile.client), 30, "the API answers again without a restart")
    assert wait_for_job(fragile.client, job_id)["status"] == "completed"
    assert (fragile.shard(job_id).attempt, fragile.shard(job_id).lost) == (1, 0)
    assert violations(expected, record_of(fragile.database, job_id), []) == []


def answers(client: httpx.Client) -> bool:
    return client.get("/readyz").status_code == 200
