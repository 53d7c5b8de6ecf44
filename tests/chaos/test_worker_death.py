"""A worker that is killed, suspended or shut down costs its job time only.

`python -m benchmarks recovery` measures this time; the timeouts here are long, for a busy machine.
"""

import signal
from typing import Any

import psutil
import pytest

from tests.chaos.conftest import Fragile, on
from tests.chaos.invariants import record_of, violations
from tests.chaos.specs import LONG, OWN, SLOW, SMALL
from tests.servers import wait_for_job

pytestmark = on("sqlite")


@pytest.mark.slow
def test_a_worker_that_shuts_down_hands_over_inside_an_epoch_and_another_continues(fragile: Fragile) -> None:
    fragile.wait_until_workers_are_up()
    job_id = fragile.post(SLOW)
    fragile.wait_until_running(job_id)
    name, _ = fragile.trainer()
    worker = psutil.Process(fragile.workers()[name])
    worker.send_signal(signal.SIGTERM)
    fragile.wait(lambda: fragile.shard(job_id).attempt == 2, 30, "another worker has the shard")
    # Celery's shutdown takes 2 to 3 s, more on a busy machine.
    worker.wait(timeout=30)
    assert fragile.shard(job_id).lost == 0
    # A cancel does not wait for the end of the epoch either, which takes half a minute.
    fragile.client.post(f"/v1/jobs/{job_id}/cancel").raise_for_status()
    fragile.wait(lambda: fragile.job(job_id)["status"] == "cancelled", 10, "the job is cancelled")


def test_a_worker_suspended_beyond_its_lease_writes_nothing_more(fragile: Fragile, expected: Any) -> None:
    fragile.wait_until_workers_are_up()
    job_id = fragile.post(LONG)
    fragile.wait_until_running(job_id, epoch=1)
    _, child = fragile.trainer()
    with fragile.suspended(child):
        fragile.wait(lambda: fragile.shard(job_id).attempt == 2, 60, "another worker has the shard")
    assert wait_for_job(fragile.client, job_id)["status"] == "completed"
    assert fragile.shard(job_id).attempt == 2
    assert violations(expected, record_of(fragile.database, job_id), []) == []


@pytest.mark.slow
def test_own_optimizers_whose_worker_is_killed_have_the_bytes_of_an_undisturbed_job(fragile: Fragile) -> None:
    fragile.wait_until_workers_are_up()
    undisturbed = fragile.post(OWN)
    assert wait_for_job(fragile.client, undisturbed, timeout=200)["status"] == "completed"
    job_id = fragile.post(OWN)
    fragile.wait_until_running(job_id, epoch=1)
    name, _ = fragile.trainer()
    psutil.Process(fragile.workers()[name]).kill()
    assert wait_for_job(fragile.client, job_id, timeout=200)["status"] == "completed"
    assert fragile.shard(job_id).attempt == 2
    expected = record_of(fragile.database, undisturbed)
    assert expected is not None
    assert len(expected.runs) == 12
    assert violations(expected, record_of(fragile.database, job_id), []) == []


@pytest.mark.slow
def test_a_shard_that_loses_three_workers_without_progress_fails_and_other_jobs_continue(fragile: Fragile) -> None:
    fragile.wait_until_workers_are_up()
    job_id = fragile.post(SLOW)
    others: list[str] = []
    # Three kills, or more if the machine is so slow that an attempt stores a chunk before its worker is killed.
    while fragile.job(job_id)["status"] != "failed":
        attempt = len(others) + 1
        assert attempt <= 10
        fragile.wait(lambda n=attempt: fragile.shard(job_id).attempt == n, 60, "the next worker has the shard")
        name, _ = fragile.trainer()
        psutil.Process(fragile.workers()[name]).kill()
        others.append(fragile.post(SMALL))
        fragile.wait(
            lambda n=attempt: fragile.shard(job_id).attempt > n or fragile.shard(job_id).status == "failed",
            30,
            "the loss was noticed",
        )
    job = wait_for_job(fragile.client, job_id)
    assert (job["status"], job["error"]["reason"]) == ("failed", "worker_lost")
    assert "3 times without progress" in job["error"]["detail"]
    assert [wait_for_job(fragile.client, other)["status"] for other in others] == ["completed"] * len(others)


@pytest.mark.slow
def test_workers_whose_clocks_are_an_hour_apart_keep_their_leases(fragile: Fragile, expected: Any) -> None:
    fragile.wait_until_workers_are_up()
    # One job for each worker, so that the worker with the wrong clock trains for longer than a lease.
    jobs = [fragile.post(LONG) for _ in range(2)]
    for job_id in jobs:
        assert wait_for_job(fragile.client, job_id)["status"] == "completed"
        assert (fragile.shard(job_id).attempt, fragile.shard(job_id).lost) == (1, 0)
        assert violations(expected, record_of(fragile.database, job_id), []) == []
