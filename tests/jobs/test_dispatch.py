"""A message is a nudge: a job is accepted without the broker, and the sweep sends the messages that are missing."""

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from service.cli.local.commands import api_command, broker_command
from service.cli.local.console import Console
from service.cli.local.preconditions import find_broker, listen
from service.cli.local.supervisor import Supervisor
from service.database.connection import Database
from service.jobs import messages, shards
from service.jobs.dispatch import Dispatcher, Sweep
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import price
from tests.queued import create
from tests.servers import Broker, accepts, free_port

SPEC = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 3}


def test_the_sweep_sends_as_many_messages_as_are_missing(
    database: Database, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(broker_url=broker.new_url())
    dispatcher = Dispatcher(settings)
    sweep = Sweep(database, dispatcher, settings)
    keys = [create(database) for _ in range(3)]
    for _ in range(2):
        sweep.once()
        assert dispatcher.depth("interactive") == 3
    # A worker has taken two messages and claimed one shard; the other message was lost.
    with database.transaction() as session:
        shards.claim(session, keys[0], 0, lease_seconds=60, receipt={})
    broker.empty()
    dispatcher.send("interactive")
    sweep.once()
    assert dispatcher.depth("interactive") == 2
    # However many shards wait, the number of messages is bounded.
    monkeypatch.setattr(messages, "MAX_MESSAGES", 4)
    for _ in range(5):
        create(database)
    sweep.once()
    assert dispatcher.depth("interactive") == 4
    assert dispatcher.depth("batch") == 0
    dispatcher.close()


def test_a_job_of_many_shards_is_announced_by_a_few_messages(broker_url: str) -> None:
    dispatcher = Dispatcher(Settings(broker_url=broker_url))
    spec = JobSpec.model_validate({**SPEC, "seeds": {"count": 160_000}})
    cost = replace(price(spec), shard_runs=16)
    assert cost.num_shards == 10_000
    dispatcher.announce(cost)
    assert dispatcher.depth(cost.queue) == 16
    dispatcher.close()


@pytest.mark.slow
def test_without_a_broker_a_job_is_accepted_at_once_and_sent_when_the_broker_is_back(
    database_url: str, tmp_path: Path
) -> None:
    port = free_port()
    supervisor = Supervisor(tmp_path, Console())
    env = {"RAVINE_DATABASE_URL": database_url, "RAVINE_BROKER_URL": f"redis://127.0.0.1:{port}/0"}
    with closing(listen("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            supervisor.run("api", api_command(listener.fileno()), env=env, pass_fds=[listener.fileno()])
            with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
                supervisor.wait_until(lambda: answers(client), "the API", 60)
                ready = client.get("/readyz")
                assert ready.status_code == 503
                assert "broker" in ready.json()["detail"]
                started = time.monotonic()
                answer = client.post("/v1/jobs", json=SPEC)
                assert answer.status_code == 202
                # By default Celery would try for ever.
                assert time.monotonic() - started < 10.0
                supervisor.run(
                    "broker",
                    broker_command(find_broker(), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(tmp_path)),
                )
                supervisor.wait_until(lambda: accepts(port), "the broker", 30)
                dispatcher = Dispatcher(Settings(broker_url=f"redis://127.0.0.1:{port}/0"))
                supervisor.wait_until(lambda: dispatcher.depth("interactive") == 1, "the sweep", 30)
                dispatcher.close()
                assert client.get("/readyz").status_code == 200
        finally:
            supervisor.stop()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False
