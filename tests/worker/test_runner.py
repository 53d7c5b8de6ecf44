"""Training of a shard with storage, on both databases: interruptions, failures and outages."""

import threading
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from service.database.connection import Database
from service.database.metric_rows import Metric
from service.database.statements import seconds_from_now
from service.database.tables import Checkpoint, Job, Run, Shard
from service.jobs import lifecycle, shards
from service.jobs.owners import ANYBODY
from service.settings import Settings
from tests.queued import count, create, expire
from tests.servers import until
from worker.runner import train_shard


def test_a_failed_training_stores_the_reason(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    key = create(database)
    with database.transaction() as session:
        broken = {**session.get_one(Job, key).spec, "epochs": "many"}
        session.execute(update(Job).values(spec=broken))
    train_shard(database, Settings(), key, 0)
    with database.snapshot() as session:
        job = session.get_one(Job, key)
        assert (job.status, job.error_reason) == ("failed", "training_error")
        assert "epochs" in (job.error_detail or "")


def test_a_long_outage_costs_an_attempt_and_not_the_job(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    key = create(database)

    def away(*_: Any, **__: Any) -> bool:
        raise OperationalError("UPDATE shards", {}, Exception("the connection was closed"))

    with monkeypatch.context() as patched:
        patched.setattr(shards, "record", away)
        train_shard(database, Settings(database_wait_seconds=0.1), key, 0)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "running"
    expire(database)
    with database.transaction() as session:
        shards.take_back(session, max_attempts=3)
    train_shard(database, Settings(), key, 0)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "completed"


@pytest.mark.slow
def test_a_worker_that_trains_longer_than_its_lease_between_two_chunks_keeps_its_shard(database: Database) -> None:
    surface = {"kind": "surface", "name": "ravine"}
    key = create(database, problem=surface, optimizers=[{"kind": "sgd", "lr": 0.001}], epochs=10**6, record_every=10**6)
    # No chunk is stored during the test, so only the heartbeat can have renewed the lease.
    settings = Settings(lease_seconds=0.3, look_seconds=0.02, flush_seconds=1_000, checkpoint_seconds=1_000)
    worker = threading.Thread(target=train_shard, args=(database, settings, key, 0))
    worker.start()

    def lease() -> Any:
        with database.snapshot() as session:
            return session.execute(select(Shard.lease_until).where(Shard.job_key == key)).scalar_one()

    try:
        first = until(lease)
        until(lambda: (lease() - first).total_seconds() > 3 * settings.lease_seconds)
    finally:
        with database.transaction() as session:
            lifecycle.cancel(session, session.get_one(Job, key).id, ANYBODY)
        worker.join()
    with database.snapshot() as session:
        job, shard = session.get_one(Job, key), session.get_one(Shard, (key, 0))
        assert (job.status, shard.attempt, shard.lost) == ("cancelled", 1, 0)


def test_a_worker_whose_shard_was_queued_again_continues_if_no_other_has_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = create(database)
    original, num_chunks = shards.record, 0

    def record(session: Any, *arguments: Any, **named: Any) -> None:
        nonlocal num_chunks
        if num_chunks == 0:
            session.execute(update(Shard).values(lease_until=seconds_from_now(-1)))
            assert shards.take_back(session, max_attempts=3) == 1
        num_chunks += 1
        original(session, *arguments, **named)

    monkeypatch.setattr(shards, "record", record)
    train_shard(database, Settings(flush_seconds=1e-9, lease_seconds=600), key, 0)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "completed"
        assert session.get_one(Shard, (key, 0)).attempt == 1


@pytest.mark.slow
def test_a_training_cut_anywhere_and_resumed_gives_the_same_bits(database: Database) -> None:
    whole, cut = (create(database, epochs=40) for _ in range(2))
    settings = Settings(flush_seconds=1e-9)
    train_shard(database, settings, whole, 0)
    stored = 0
    original = shards.record

    class Cut(BaseException):
        """Simulates a kill: no code after it runs."""

    def cut_after_three(*arguments: Any, **named: Any) -> bool:
        nonlocal stored
        stored += 1
        if stored % 3 == 0:
            raise Cut
        return original(*arguments, **named)

    for _ in range(100):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(shards, "record", cut_after_three)
            try:
                train_shard(database, settings, cut, 0)
                break
            except Cut:
                expire(database)
                with database.transaction() as session:
                    shards.take_back(session, max_attempts=1_000)
    with database.snapshot() as session:
        assert session.get_one(Job, cut).status == "completed"
        assert session.execute(select(Shard.attempt).where(Shard.job_key == cut)).scalar_one() > 5

        def rows(key: int) -> list[tuple[Any, ...]]:
            columns = [column for column in Metric.__table__.columns if column.name != "job_key"]
            found = session.execute(
                select(*columns).where(Metric.job_key == key).order_by(Metric.run_index, Metric.epoch)
            )
            return [tuple(row) for row in found]

        def outcomes(key: int) -> list[tuple[Any, ...]]:
            columns = [column for column in Run.__table__.columns if column.name != "job_key"]
            return [
                tuple(row) for row in session.execute(select(*columns).where(Run.job_key == key).order_by(Run.index))
            ]

        assert rows(cut) == rows(whole)
        assert outcomes(cut) == outcomes(whole)
    assert count(database, Checkpoint) == 0
