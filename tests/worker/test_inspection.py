"""Inspection of workers over the broker, as by Flower and `celery inspect`, without a result backend."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from celery import Celery

from service.jobs.dispatch import TRAIN_SHARD
from tests.servers import Stack, until

# Inspection does not use the database.
pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
ENDLESS = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.01}], "epochs": 1_000_000}
# The timeout for answers; the answers of both workers end the wait.
ANSWER_SECONDS = 2.0


@pytest.fixture
def inspector(stack: Stack) -> Iterator[Any]:
    """The inspector of a Celery app that has only the address of the broker, as in Flower."""
    app = Celery("flower", broker=stack.broker_url, set_as_current=False)
    yield app.control.inspect(timeout=ANSWER_SECONDS, limit=2)
    app.close()


def test_every_worker_answers_a_ping(inspector: Any) -> None:
    until(lambda: len(inspector.ping() or {}) == 2)
    answers = inspector.ping()
    assert {name.partition("@")[0] for name in answers} == {"interactive", "batch"}
    assert set(map(str, answers.values())) == {"{'ok': 'pong'}"}


def test_the_current_task_is_active_and_names_its_worker(inspector: Any, client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json=ENDLESS).json()
    found: list[dict[str, Any]] = []

    def trains() -> bool:
        found[:] = [
            task for tasks in (inspector.active() or {}).values() for task in tasks if task["name"] == TRAIN_SHARD
        ]
        return bool(found)

    until(trains)
    client.post(f"/v1/jobs/{job['id']}/cancel").raise_for_status()
    assert found[0]["hostname"].partition("@")[0] in {"interactive", "batch"}
    # The queue only; messages contain neither the spec nor the shard.
    assert found[0]["args"] in (["interactive"], ["batch"])


def test_statistics_have_processes_and_tasks(inspector: Any) -> None:
    until(lambda: len(inspector.stats() or {}) == 2)
    for stats in inspector.stats().values():
        assert len(stats["pool"]["processes"]) == stats["pool"]["max-concurrency"] == 1
        assert set(stats["total"]) <= {TRAIN_SHARD}
