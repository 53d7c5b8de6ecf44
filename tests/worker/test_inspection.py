"""What Flower and `celery inspect` ask a worker, over the broker alone: no result backend, and no Flower installed."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from celery import Celery

from service.jobs.dispatch import TRAIN_SHARD
from tests.servers import Stack, until

# What is asked goes over the broker: the database has no part in it.
pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
ENDLESS = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.01}], "epochs": 1_000_000}
# Of both workers; an answer of both ends the wait.
ANSWER_SECONDS = 2.0


@pytest.fixture
def asked(stack: Stack) -> Iterator[Any]:
    """What Flower opens: an app that knows the broker, and nothing else of Ravine."""
    app = Celery("flower", broker=stack.broker_url, set_as_current=False)
    yield app.control.inspect(timeout=ANSWER_SECONDS, limit=2)
    app.close()


def test_every_worker_answers_a_ping(asked: Any) -> None:
    until(lambda: len(asked.ping() or {}) == 2)
    answers = asked.ping()
    assert {name.partition("@")[0] for name in answers} == {"interactive", "batch"}
    assert set(map(str, answers.values())) == {"{'ok': 'pong'}"}


def test_the_current_task_is_active_and_names_its_worker(asked: Any, client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json=ENDLESS).json()
    found: list[dict[str, Any]] = []

    def trains() -> bool:
        found[:] = [task for tasks in (asked.active() or {}).values() for task in tasks if task["name"] == TRAIN_SHARD]
        return bool(found)

    until(trains)
    client.post(f"/v1/jobs/{job['id']}/cancel").raise_for_status()
    assert found[0]["hostname"].partition("@")[0] in {"interactive", "batch"}
    # A key of a row and a number: no part of a spec is in a message.
    assert len(found[0]["args"]) == 2
    assert all(isinstance(one, int) for one in found[0]["args"])


def test_statistics_have_processes_and_tasks(asked: Any) -> None:
    until(lambda: len(asked.stats() or {}) == 2)
    for stats in asked.stats().values():
        assert len(stats["pool"]["processes"]) == stats["pool"]["max-concurrency"] == 1
        assert set(stats["total"]) <= {TRAIN_SHARD}
