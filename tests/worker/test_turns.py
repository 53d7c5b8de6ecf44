"""A shard is handed over at a checkpoint: to another owner whose turn has come, or to the queue of long shards."""

import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, update

from service.database.connection import Database
from service.database.states import ShardStatus
from service.database.tables import Checkpoint, Job, Shard, Tally
from service.jobs import lifecycle
from service.jobs.shards import Claim
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import price
from tests.chaos.invariants import Record, record_of
from tests.queued import SPEC
from worker.heartbeat import Heartbeat
from worker.runner import train_next, train_shard

# A job of many times the limits of EAGER, in epochs of milliseconds.
SLOW: dict[str, Any] = {"epochs": 150, "record_every": 15, "shuffle": True}
# Every check comes before the next epoch or soon after.
EAGER = Settings(interactive_seconds=0.05, slice_seconds=0.05, look_seconds=0.01)


def post(
    database: Database,
    queue: str | None = None,
    owner: str = "",
    shard_runs: int | None = None,
    **changes: Any,
) -> Job:
    spec = JobSpec.model_validate({**SPEC, **changes})
    cost = price(spec)
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, replace(cost, shard_runs=shard_runs or cost.shard_runs), owner=owner)
        if queue is not None:
            session.execute(update(Shard).where(Shard.job_key == job.key).values(queue=queue))
    return job


def record(database: Database, job: Job) -> Record:
    found = record_of(database, job.id)
    assert found is not None
    return found


def shard(database: Database, job: Job, number: int = 0) -> Shard:
    with database.snapshot() as session:
        return session.get_one(Shard, (job.key, number))


def tally(database: Database, name: str) -> int:
    with database.snapshot() as session:
        return int(session.execute(select(func.sum(Tally.value)).where(Tally.name == name)).scalar_one() or 0)


def checkpoint(database: Database, job: Job) -> bytes | None:
    with database.snapshot() as session:
        return session.execute(select(Checkpoint.data).where(Checkpoint.job_key == job.key)).scalar_one_or_none()


@pytest.mark.slow
def test_an_interactive_shard_that_takes_too_long_continues_in_the_queue_batch(database: Database) -> None:
    # Its price was too low.
    job, waits, undisturbed = (post(database, "interactive", **SLOW) for _ in range(3))
    sent: list[str] = []
    train_next(database, EAGER, "interactive", sent.append)
    found = shard(database, job)
    assert (found.queue, found.status, found.attempt, found.lost) == ("batch", ShardStatus.QUEUED, 1, 0)
    assert found.epoch < SLOW["epochs"]
    assert checkpoint(database, job) is not None
    assert sent == ["batch"]
    assert shard(database, waits).status == ShardStatus.QUEUED
    # In the queue batch it has no budget, and nobody else waits.
    train_next(database, EAGER, "batch", sent.append)
    assert shard(database, job).status == ShardStatus.COMPLETED
    assert sent == ["batch"]
    train_shard(database, Settings(), undisturbed.key, 0)
    assert record(database, job) == record(database, undisturbed)
    counts = [tally(database, name) for name in ("shards_handed_over", "shards_retried", "leases_lost")]
    assert counts == [1, 0, 0]


@pytest.mark.slow(after=1)
def test_an_interactive_shard_stays_where_nobody_waits(database: Database) -> None:
    alone = post(database, "interactive", **SLOW)
    train_next(database, EAGER, "interactive", lambda queue: None)
    assert (shard(database, alone).status, shard(database, alone).attempt) == (ShardStatus.COMPLETED, 1)


@pytest.mark.slow
def test_an_interactive_shard_stays_where_the_time_is_that_of_a_busy_machine(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the shards of batch it would wait much longer."""
    job, _ = (post(database, "interactive", **SLOW) for _ in range(2))
    monkeypatch.setattr(time, "process_time", lambda: 0.0)
    train_next(database, EAGER, "interactive", lambda queue: None)
    assert (shard(database, job).status, shard(database, job).attempt) == (ShardStatus.COMPLETED, 1)


@pytest.mark.slow
def test_a_long_shard_is_handed_over_when_another_owner_waits(database: Database) -> None:
    ana, undisturbed = (post(database, "batch", owner="ana", **SLOW) for _ in range(2))
    ben = post(database, "batch", owner="ben")
    sent: list[str] = []
    train_next(database, EAGER, "batch", sent.append)
    found = shard(database, ana)
    assert (found.queue, found.status, found.attempt, found.lost) == ("batch", ShardStatus.QUEUED, 1, 0)
    assert sent == ["batch"]
    train_next(database, Settings(), "batch", sent.append)
    assert shard(database, ben).status == ShardStatus.COMPLETED
    # Nobody else waits, so the shard is trained to its end.
    train_next(database, EAGER, "batch", sent.append)
    assert (shard(database, ana).status, shard(database, ana).attempt) == (ShardStatus.COMPLETED, 2)
    assert sent == ["batch"]
    train_next(database, EAGER, "batch", sent.append)
    assert record(database, ana) == record(database, undisturbed)


def test_owners_who_both_wait_alternate_and_every_turn_makes_progress(database: Database) -> None:
    jobs = [post(database, "batch", owner=owner, **SLOW) for owner in ("ana", "ben")]
    for turn in range(4):
        served, other = jobs[turn % 2], jobs[1 - turn % 2]
        before = checkpoint(database, served), checkpoint(database, other)
        train_next(database, EAGER, "batch", lambda queue: None)
        assert checkpoint(database, served) not in (None, before[0])
        assert checkpoint(database, other) == before[1]


def test_a_turn_is_longer_where_the_preparation_takes_long(database: Database) -> None:
    """At most a tenth of the time is lost by handovers, unless others would wait for more than two turns."""
    claim = Claim(1, "", 0, 1, {}, 0, 1, None)
    for seconds, turn_seconds in ((0.0, 2.0), (0.3, 3.0), (5.0, 4.0)):
        heartbeat = Heartbeat(database, Settings(slice_seconds=2.0), claim)
        heartbeat.prepared(seconds)
        assert heartbeat.turn_seconds == pytest.approx(turn_seconds)


def test_histories_do_not_depend_on_the_division_into_shards(database: Database) -> None:
    optimizers = [{"kind": "momentum", "lr": [0.01, 0.05]}, {"kind": "adam", "lr": 0.01}]
    changes = {"problem": {"kind": "flipnet"}, "optimizers": optimizers, "seeds": {"count": 14}, "epochs": 2}
    whole, divided = post(database, **changes), post(database, shard_runs=16, **changes)
    with database.snapshot() as session:
        sizes = session.execute(select(Shard.num_runs).where(Shard.job_key == divided.key).order_by(Shard.number))
        assert sizes.scalars().all() == [16, 16, 10]
    for job, num_shards in ((whole, 1), (divided, 3)):
        for number in range(num_shards):
            train_shard(database, Settings(), job.key, number)
    assert record(database, whole) == record(database, divided)
