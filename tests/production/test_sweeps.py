"""Sweeps have no leader: of two APIs either one alone sends lost messages again, and the jobs end."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from service.cli.local.commands import BATCH, workers_command
from service.cli.local.console import Console
from service.jobs.dispatch import Dispatcher
from service.settings import Settings
from tests.servers import Api, Broker, end_now, until, wait_for_job
from tests.template import TemplateSupervisor

SPEC = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 3}


@pytest.mark.slow
def test_each_of_two_apis_alone_sends_lost_messages_again(new_database: Callable[[str], str], tmp_path: Path) -> None:
    with ExitStack() as resources:
        broker = Broker(tmp_path)
        resources.callback(broker.stop)
        url, broker_url = new_database("postgresql"), broker.new_url()
        dispatcher = resources.enter_context(closing(Dispatcher(Settings(database_url=url, broker_url=broker_url))))
        env = {"RAVINE_SWEEP_SECONDS": "0.3"}
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        first, second = (Api(url, broker_url, folder, env=env) for folder in folders)
        with second:
            with first:
                job_id = httpx.post(f"{first.url}/v1/jobs", json=SPEC, trust_env=False).raise_for_status().json()["id"]
            # The first has stopped. No worker runs, which would sweep as well.
            broker.empty()
            until(lambda: dispatcher.depth("interactive") == 1)
        with first:
            broker.empty()
            until(lambda: dispatcher.depth("interactive") == 1)
            workers = TemplateSupervisor(tmp_path, Console())
            resources.callback(end_now, workers)
            urls = {"RAVINE_DATABASE_URL": url, "RAVINE_BROKER_URL": broker_url}
            workers.run("workers", workers_command({"batch": (BATCH, 1)}), env=urls)
            with httpx.Client(base_url=first.url, trust_env=False) as client:
                assert wait_for_job(client, job_id)["status"] == "completed"
