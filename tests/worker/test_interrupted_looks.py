"""A job that decides gives the same decision if its workers die or it is cancelled."""

import random
from typing import Any

import pytest
from sqlalchemy import func, select

from service.database.connection import Database
from service.database.tables import Shard
from service.jobs import lifecycle, looks, shards
from service.jobs.owners import ANYBODY
from tests.chaos.invariants import record_of
from tests.deciding import CLOSE, NOISY, job_of, looks_of, post, train
from tests.queued import expire


class Killed(BaseException):
    """The end of a worker inside a transaction."""


def test_a_cancelled_job_queues_no_further_batch(database: Database) -> None:
    key = post(database, NOISY)
    with database.transaction() as session:
        claim = shards.claim(session, key, 0, lease_seconds=60, receipt={})
        assert claim is not None
        lifecycle.cancel(session, job_of(database, key).id, ANYBODY)
    expire(database)
    with database.transaction() as session:
        shards.take_back(session, max_attempts=3)
    job = job_of(database, key)
    assert (job.status, job.runs_total, (job.decision or {})["status"]) == ("cancelled", 16, "open")
    with database.snapshot() as session:
        assert session.execute(select(func.count()).select_from(Shard)).scalar_one() == 1


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("seed", range(2))
def test_a_job_whose_workers_die_at_any_moment_decides_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    spec = {**CLOSE, "decide": {"batch": 8, "max_seeds": 32, "margin": 1e-9}}
    calm = post(database, spec)
    train(database, calm)
    draw, deaths = random.Random(seed), 0

    def fragile(step: Any) -> Any:
        def may_die(*args: Any, **options: Any) -> Any:
            nonlocal deaths
            moment = draw.random()
            if moment < 0.2:
                deaths += 1
                raise Killed
            found = step(*args, **options)
            if moment < 0.4:
                deaths += 1
                raise Killed
            return found

        return may_die

    key = post(database, spec)
    for module, name in ((shards, "record"), (shards, "end"), (looks, "take"), (looks, "queue_next")):
        monkeypatch.setattr(module, name, fragile(getattr(module, name)))
    while job_of(database, key).status != "completed":
        try:
            train(database, key)
        except Killed:
            expire(database)
            with database.transaction() as session:
                shards.take_back(session, max_attempts=1_000)
    assert deaths > 5
    assert looks_of(database, key) == looks_of(database, calm)
    assert record_of(database, job_of(database, key).id) == record_of(database, job_of(database, calm).id)
