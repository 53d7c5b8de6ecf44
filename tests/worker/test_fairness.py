"""A sweep of one owner starts at once although another owner has posted a hundred before, on two workers."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import func, select, update

from service.database.connection import Database
from service.database.states import ShardStatus
from service.database.tables import Job, Shard
from service.jobs import lifecycle
from service.spec.job import JobSpec
from service.spec.price import price
from tests.conftest import DATABASES
from tests.servers import Broker, Stack, until

SURFACE = {"kind": "surface", "name": "ravine"}
# A minute of training; the machine may be slow, so nothing here waits for its end.
LONG: dict[str, Any] = {"problem": SURFACE, "optimizers": [{"kind": "sgd", "lr": 0.001}], "epochs": 500_000,
                        "record_every": 500_000}  # fmt: skip
SHORT: dict[str, Any] = {**LONG, "epochs": 10}
NUM_SWEEPS = 100


@pytest.fixture(params=DATABASES)
def database(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    open_database: Callable[[str], Database],
    broker: Broker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Database]:
    """A database with two workers for all jobs."""
    url, folder = new_database(request.param), tmp_path_factory.mktemp("fair")
    env = {"RAVINE_SLICE_SECONDS": "0.5", "RAVINE_SWEEP_SECONDS": "0.3"}
    with Stack(url, broker.new_url(), folder, batch_processes=2, has_interactive=False, env=env):
        yield open_database(url)


def post(database: Database, written: dict[str, Any], owner: str, num: int = 1) -> int:
    """Store jobs in the queue `batch`, and give the key of the last one."""
    spec = JobSpec.model_validate(written)
    with database.transaction() as session:
        for _ in range(num):
            job, _ = lifecycle.create(session, spec, price(spec), owner=owner)
        session.execute(update(Shard).where(Shard.owner == owner).values(queue="batch"))
    return job.key


def running(database: Database, owner: str) -> int:
    with database.snapshot() as session:
        chosen = Shard.owner == owner, Shard.status == ShardStatus.RUNNING
        return session.execute(select(func.count()).select_from(Shard).where(*chosen)).scalar_one()


@pytest.mark.slow
def test_a_sweep_behind_a_hundred_of_another_owner_starts_at_once(database: Database) -> None:
    post(database, LONG, "ana", NUM_SWEEPS)
    until(lambda: running(database, "ana") == 2, "both workers train for the first owner")
    started = time.monotonic()
    key = post(database, SHORT, "ben")

    def status() -> str:
        with database.snapshot() as session:
            return session.get_one(Job, key).status

    until(lambda: status() == "completed", "the sweep of the second owner is completed")
    print(f"the second owner waited {time.monotonic() - started:.2f} s")
    with database.snapshot() as session:
        others = session.execute(select(Shard.status, Shard.attempt, Shard.lost).where(Shard.owner == "ana")).all()
    # All of it passed while the first sweeps were trained, and none of them was lost or had to end.
    assert sum(row.attempt > 0 for row in others) <= 5
    assert {row.status for row in others} <= {ShardStatus.QUEUED, ShardStatus.RUNNING}
    assert {row.lost for row in others} == {0}
    # Both workers train for the first owner again.
    until(lambda: running(database, "ana") == 2, "the worker has returned to the first owner")
