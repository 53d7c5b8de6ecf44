"""What the rows of shards promise, on both databases: one owner at a time, nothing stale, nothing forgotten."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from service import jobs, shards
from service.database import Database, seconds_from_now
from service.models import Checkpoint, Job, Metric, Run, Shard
from service.recording import Outcomes, Rows
from service.settings import Settings
from service.shards import Claim, LeaseLost, Progress
from service.spec.job import JobSpec
from service.spec.price import price
from service.states import ShardStatus
from worker.runner import train_shard

RECEIPT = {"torch": "none"}
SPEC = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.05, "momentum": [0.0, 0.5, 0.9]}],
    "epochs": 4,
}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def create(database: Database, **changes: Any) -> int:
    spec = JobSpec.model_validate({**SPEC, **changes})
    with database.transaction() as session:
        job, _ = jobs.create(session, spec, price(spec))
    return job.key


def claim(database: Database, job_key: int, *, lease_seconds: float = 60.0) -> Claim | None:
    with database.transaction() as session:
        return shards.claim(session, job_key, 0, lease_seconds=lease_seconds, receipt=RECEIPT)


def progress(epoch: int, *, checkpoint: bytes | None = None, loss: float = 1.0) -> Progress:
    """Three runs, one row each, at one epoch."""
    return Progress(
        epoch=epoch,
        epochs_done=3 * epoch,
        runs_ended=0,
        runs_diverged=0,
        rows=Rows(
            fields=("loss", "grad_norm"),
            run_index_N=np.arange(3),
            epoch_N=np.full(3, epoch),
            values_FN=np.array([[loss, np.nan, -np.inf], [0.5, np.inf, -0.0]]),
            measured_FN=np.array([[True, True, True], [True, True, False]]),
        ),
        outcomes=Outcomes(
            index_R=np.arange(3),
            status=["running"] * 3,
            epochs_done_R=np.full(3, epoch),
            final_loss_R=np.array([loss, np.nan, -np.inf]),
            best_loss_R=np.array([loss, np.inf, np.inf]),
            best_epoch_R=np.array([epoch, -1, -1]),
            diverged_epoch_R=np.array([-1, epoch, epoch]),
        ),
        checkpoint=checkpoint,
    )


def record(database: Database, claimed: Claim, what: Progress) -> bool:
    with database.transaction() as session:
        return shards.record(session, claimed, what, lease_seconds=60.0)


def count(database: Database, table: Any) -> int:
    with database.snapshot() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def expire(database: Database) -> None:
    """Let the lease of every shard end a second ago."""
    with database.transaction() as session:
        session.execute(update(Shard).values(lease_until=seconds_from_now(-1)))


def test_a_shard_is_claimed_once(database: Database) -> None:
    key = create(database)
    claimed = claim(database, key)
    assert claimed is not None
    assert (claimed.attempt, claimed.first_run, claimed.num_runs) == (1, 0, 3)
    assert claim(database, key) is None
    assert claim(database, key + 1) is None


def test_a_newer_attempt_shuts_the_older_one_out_and_its_rows_with_it(database: Database) -> None:
    key = create(database)
    first = claim(database, key)
    assert first is not None
    record(database, first, progress(0, checkpoint=b"state"))
    expire(database)
    with database.transaction() as session:
        assert shards.take_back(session, max_attempts=3) == 1
    second = claim(database, key)
    assert second is not None
    assert (second.attempt, second.checkpoint) == (2, b"state")
    with pytest.raises(LeaseLost):
        record(database, first, progress(1))
    with pytest.raises(LeaseLost), database.transaction() as session:
        shards.end(session, first, ShardStatus.COMPLETED)
    assert count(database, Metric) == 3
    record(database, second, progress(1))
    assert count(database, Metric) == 6


def test_a_lease_that_has_not_run_out_is_respected(database: Database) -> None:
    key = create(database)
    claim(database, key)
    with database.transaction() as session:
        assert shards.take_back(session, max_attempts=3) == 0


def test_after_three_lost_workers_the_job_has_failed_and_says_so(database: Database) -> None:
    key = create(database)
    for _ in range(3):
        assert claim(database, key) is not None
        expire(database)
        with database.transaction() as session:
            shards.take_back(session, max_attempts=3)
    assert claim(database, key) is None
    with database.snapshot() as session:
        job = session.get_one(Job, key)
        assert (job.status, job.error_reason) == ("failed", "worker_lost")
        assert job.finished_at is not None
        assert set(session.execute(select(Run.status)).scalars()) == {"failed"}


def test_numbers_come_back_as_they_were(database: Database) -> None:
    key = create(database)
    claimed = claim(database, key)
    assert claimed is not None
    record(database, claimed, progress(0, loss=1e308))
    with database.snapshot() as session:
        rows = session.execute(select(Metric.loss, Metric.grad_norm, Metric.accuracy).order_by(Metric.run_index)).all()
        runs = session.execute(select(Run.final_loss, Run.best_loss, Run.diverged_epoch).order_by(Run.index)).all()
    assert rows[0] == (1e308, 0.5, None)
    assert (float(rows[1].loss), rows[1].grad_norm) != (float(rows[1].loss), None)
    assert np.isnan(float(rows[1].loss))
    assert rows[1].grad_norm == np.inf
    assert rows[2].loss == -np.inf
    assert rows[2].grad_norm is None
    assert runs[0] == (1e308, 1e308, None)
    assert np.isnan(float(runs[1].final_loss))
    assert (runs[1].best_loss, runs[1].diverged_epoch) == (None, 0)


def test_a_chunk_is_stored_as_a_whole_or_not_at_all(database: Database) -> None:
    key = create(database)
    claimed = claim(database, key)
    assert claimed is not None
    record(database, claimed, progress(0))
    # The same rows again break the primary key; nothing else of the chunk may stay.
    with pytest.raises(Exception, match=r"(?i)unique"):
        record(database, claimed, progress(0, checkpoint=b"new"))
    assert count(database, Metric) == 3
    assert count(database, Checkpoint) == 0


def test_a_cancelled_job_tells_its_worker_at_the_next_chunk(database: Database) -> None:
    key = create(database)
    claimed = claim(database, key)
    assert claimed is not None
    assert record(database, claimed, progress(0)) is True
    with database.transaction() as session:
        assert jobs.cancel(session, claimed.job_id).status == "cancelling"
    assert record(database, claimed, progress(1)) is False
    with database.transaction() as session:
        shards.end(session, claimed, ShardStatus.CANCELLED)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "cancelled"


def test_a_job_cancelled_while_queued_never_runs(database: Database) -> None:
    key = create(database)
    with database.transaction() as session:
        job = session.get_one(Job, key)
        assert jobs.cancel(session, job.id).status == "cancelled"
    assert claim(database, key) is None


def test_a_shard_whose_message_was_lost_is_sent_again(database: Database) -> None:
    create(database)
    with database.transaction() as session:
        assert shards.to_publish(session, "interactive", silent_seconds=5.0) == []
        session.execute(update(Shard).values(published_at=seconds_from_now(-6)))
    with database.transaction() as session:
        assert len(shards.to_publish(session, "interactive", silent_seconds=5.0)) == 1
        assert shards.to_publish(session, "interactive", silent_seconds=5.0) == []


def test_a_training_that_fails_says_why(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    key = create(database)
    with database.transaction() as session:
        broken = {**session.get_one(Job, key).spec, "epochs": "many"}
        session.execute(update(Job).values(spec=broken))
    train_shard(database, Settings(), key, 0)
    with database.snapshot() as session:
        job = session.get_one(Job, key)
        assert (job.status, job.error_reason) == ("failed", "training_error")
        assert "epochs" in (job.error_detail or "")


def test_a_database_that_goes_away_costs_an_attempt_and_not_the_job(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = create(database)

    def away(*_: Any, **__: Any) -> bool:
        raise OperationalError("UPDATE shards", {}, Exception("the connection was closed"))

    with monkeypatch.context() as patched:
        patched.setattr(shards, "record", away)
        train_shard(database, Settings(), key, 0)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "running"
    expire(database)
    with database.transaction() as session:
        shards.take_back(session, max_attempts=3)
    train_shard(database, Settings(), key, 0)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "completed"


def test_a_worker_that_trains_longer_than_its_lease_between_two_chunks_keeps_its_shard(database: Database) -> None:
    surface = {"kind": "surface", "name": "ravine"}
    key = create(
        database, problem=surface, optimizers=[{"kind": "sgd", "lr": 0.001}], epochs=30_000, record_every=30_000
    )
    # No chunk is stored before the end, several leases later.
    settings = Settings(lease_seconds=0.3, flush_seconds=1_000)
    worker = threading.Thread(target=train_shard, args=(database, settings, key, 0))
    worker.start()
    while worker.is_alive():
        with database.transaction() as session:
            assert shards.take_back(session, max_attempts=3) == 0
        worker.join(0.05)
    with database.snapshot() as session:
        job, shard = session.get_one(Job, key), session.get_one(Shard, (key, 0))
        assert (job.status, shard.attempt) == ("completed", 1)
        assert job.finished_at is not None
        assert job.started_at is not None
        assert (job.finished_at - job.started_at).total_seconds() > 3 * settings.lease_seconds


def test_a_training_cut_anywhere_and_resumed_gives_the_same_bits(database: Database) -> None:
    whole, cut = (create(database, epochs=40) for _ in range(2))
    settings = Settings(flush_seconds=1e-9)
    train_shard(database, settings, whole, 0)
    stored = 0
    original = shards.record

    class Cut(BaseException):
        """What a kill looks like from inside: nothing after it runs."""

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
