"""A job is trained once, also if its messages are lost, repeated, late or never sent."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from service.jobs import lifecycle
from service.jobs.dispatch import Dispatcher
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import price
from tests.chaos.conftest import Fragile, on
from tests.chaos.invariants import record_of, violations
from tests.chaos.specs import LONG, SLOW, SMALL
from tests.servers import wait_for_job

pytestmark = on("postgresql")


def test_a_job_without_a_message_starts_soon(fragile: Fragile) -> None:
    """As after an API that was killed before it sent the message, or a worker that was killed before its claim."""
    fragile.wait_until_workers_are_up()
    spec = JobSpec.model_validate(SMALL)
    with fragile.database.transaction() as session:
        job, _ = lifecycle.create(session, spec, price(spec))
    fragile.wait(lambda: fragile.job(job.id)["started_at"] is not None, 30, "the job has started")
    assert wait_for_job(fragile.client, job.id)["status"] == "completed"


@pytest.mark.slow
def test_repeated_messages_cause_one_execution(fragile: Fragile, expected: Any) -> None:
    """A broker repeats a message if its visibility timeout is shorter than the job."""
    fragile.wait_until_workers_are_up()
    dispatcher = Dispatcher(Settings(broker_url=fragile.stack.broker_url))
    job_id = fragile.post(LONG)
    shard = fragile.shard(job_id)
    dispatcher.send(shard.queue, 10)
    fragile.wait_until_running(job_id)
    while fragile.job(job_id)["status"] == "running":
        dispatcher.send(shard.queue)
        fragile.wait(lambda: dispatcher.depth(shard.queue) == 0, 30, "a worker has taken the message")
        time.sleep(0.3)
    dispatcher.close()
    assert fragile.job(job_id)["status"] == "completed"
    assert (fragile.shard(job_id).attempt, fragile.shard(job_id).lost) == (1, 0)
    assert violations(expected, record_of(fragile.database, job_id), []) == []


def test_a_broker_that_loses_all_messages_loses_no_job(fragile: Fragile) -> None:
    fragile.wait_until_workers_are_up()
    # Both workers are busy, so the next jobs wait in the queue.
    busy = [fragile.post(SLOW) for _ in range(2)]
    for job_id in busy:
        fragile.wait_until_running(job_id)
    waiting = [fragile.post({**SLOW, "epochs": 1, "seeds": [0], "problem": {**SLOW["problem"], "hidden": 1}})]
    fragile.broker.empty()
    for job_id in busy:
        fragile.client.post(f"/v1/jobs/{job_id}/cancel").raise_for_status()
    assert [wait_for_job(fragile.client, job_id)["status"] for job_id in waiting] == ["completed"]


def test_one_idempotency_key_used_twenty_times_at_once_makes_one_job(fragile: Fragile) -> None:
    def post(_: int) -> str:
        answer = fragile.client.post("/v1/jobs", json=SMALL, headers={"Idempotency-Key": "twenty"})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    with ThreadPoolExecutor(20) as threads:
        assert len(set(threads.map(post, range(20)))) == 1


@pytest.mark.parametrize("after_epochs", [0, 5])
def test_a_cancel_near_the_end_of_a_job_answers_the_final_status(fragile: Fragile, after_epochs: int) -> None:
    job_id = fragile.post({**SMALL, "epochs": 200})
    fragile.wait(lambda: fragile.shard(job_id).epoch >= after_epochs, 30, "these epochs are stored")
    answer = fragile.client.post(f"/v1/jobs/{job_id}/cancel")
    end = wait_for_job(fragile.client, job_id)
    assert answer.status_code in {202, 409}
    assert end["status"] in ({"cancelled", "completed"} if answer.status_code == 202 else {"completed"})
    assert fragile.client.post(f"/v1/jobs/{job_id}/cancel").status_code == 409
    assert fragile.job(job_id) == end
