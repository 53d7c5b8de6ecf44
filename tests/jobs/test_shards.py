"""What the rows of shards promise, on both databases: one owner at a time, nothing stale, nothing forgotten."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import event, select, update
from sqlalchemy.engine.interfaces import CacheStats

from service.database.bulk import StoredTwice
from service.database.connection import Database
from service.database.metric_rows import Metric
from service.database.statements import seconds_from_now
from service.database.states import ShardStatus
from service.database.tables import Checkpoint, Job, Run, Shard
from service.jobs import endings, lifecycle, messages, shards
from service.jobs.dispatch import QUEUES
from service.jobs.owners import ANYBODY
from service.jobs.shards import LeaseLost
from tests.jobs.claimed import RECEIPT, chunk, claim, record
from tests.queued import count, create, expire, statuses
from tests.stored import Stored


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
    record(database, first, chunk(0, checkpoint=b"state"))
    expire(database)
    with database.transaction() as session:
        assert shards.take_back(session, max_attempts=3) == 1
    second = claim(database, key)
    assert second is not None
    assert (second.attempt, second.checkpoint) == (2, b"state")
    with pytest.raises(LeaseLost):
        record(database, first, chunk(1))
    with pytest.raises(LeaseLost), database.transaction() as session:
        shards.end(session, first, ShardStatus.COMPLETED)
    assert count(database, Metric) == 3
    record(database, second, chunk(1))
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
    assert statuses(database, key) == ["failed"] * 3


def lose(database: Database) -> None:
    """Let the lease of the worker expire, and queue its shard again."""
    expire(database)
    with database.transaction() as session:
        assert shards.take_back(session, max_attempts=3) == 1


def test_lost_workers_are_counted_since_the_last_chunk(database: Database) -> None:
    key = create(database)
    for attempt in range(5):
        claimed = claim(database, key)
        assert claimed is not None
        record(database, claimed, chunk(attempt, checkpoint=str(attempt).encode()))
        lose(database)
        claim(database, key)
        lose(database)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "running"
    claim(database, key)
    lose(database)
    with database.snapshot() as session:
        job = session.get_one(Job, key)
        assert (job.status, job.error_reason) == ("failed", "worker_lost")
        assert "lost 3 times without progress" in (job.error_detail or "")


def test_a_chunk_of_a_shard_that_was_queued_again_claims_it_back(database: Database) -> None:
    key = create(database)
    claimed = claim(database, key)
    assert claimed is not None
    lose(database)
    record(database, claimed, chunk(0, checkpoint=b"state"))
    with database.snapshot() as session:
        shard = session.get_one(Shard, (key, 0))
        assert (shard.status, shard.attempt, shard.lost) == ("running", 1, 0)
    assert claim(database, key) is None


@pytest.mark.parametrize("ends", [True, False])
def test_an_attempt_whose_chunk_was_refused_cannot_renew_the_lease(database: Database, ends: bool) -> None:
    key = create(database)
    claimed = claim(database, key)
    assert claimed is not None
    lose(database)
    with database.transaction() as session:
        if ends:
            lifecycle.cancel(session, claimed.job_id, ANYBODY)
        else:
            shards.claim(session, key, 0, lease_seconds=60.0, receipt=RECEIPT)
    with pytest.raises(LeaseLost):
        record(database, claimed, chunk(0))
    with pytest.raises(LeaseLost), database.transaction() as session:
        shards.beat(session, claimed, lease_seconds=60.0)


def test_numbers_come_back_as_they_were(database: Database) -> None:
    key = create(database)
    claimed = claim(database, key)
    assert claimed is not None
    record(database, claimed, chunk(0, loss=1e308))
    with database.snapshot() as session:
        rows = session.execute(select(Metric.loss, Metric.grad_norm, Metric.accuracy).order_by(Metric.run_index)).all()
        runs = session.execute(select(Run.final_loss, Run.best_loss, Run.diverged_epoch).order_by(Run.index)).all()
    assert rows[0] == (1e308, 0.5, None)
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
    record(database, claimed, chunk(0))
    # The same rows again are refused; nothing else of the chunk may stay.
    with pytest.raises(StoredTwice):
        record(database, claimed, chunk(0, checkpoint=b"new"))
    assert count(database, Metric) == 3
    assert count(database, Checkpoint) == 0


@pytest.mark.parametrize("by_time", [False, True])
def test_a_shard_that_ends_while_it_waits_leaves_no_checkpoint(database: Database, by_time: bool) -> None:
    key = create(database)
    claimed = claim(database, key)
    assert claimed is not None
    record(database, claimed, chunk(1, checkpoint=b"state"))
    with database.transaction() as session:
        shards.give_back(session, claimed)
        if by_time:
            session.execute(update(Job).values(deadline_at=seconds_from_now(-1)))
            assert endings.time_out(session) == 1
        else:
            lifecycle.cancel(session, claimed.job_id, ANYBODY)
    assert count(database, Checkpoint) == 0


def test_every_queued_shard_needs_a_message_up_to_a_bound(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def needed() -> list[int]:
        with database.snapshot() as session:
            return [messages.num_needed(session, queue) for queue in QUEUES]

    assert needed() == [0, 0]
    keys = [create(database) for _ in range(3)]
    assert needed() == [3, 0]
    claim(database, keys[0])
    assert needed() == [2, 0]
    monkeypatch.setattr(messages, "MAX_MESSAGES", 1)
    assert needed() == [1, 0]


def test_the_statements_of_a_shard_are_compiled_once(database: Database) -> None:
    """A compilation takes longer than its statement, and on SQLite all other writers wait meanwhile."""
    Stored(database).finish()
    compiled: list[str] = []

    def note(_: object, __: object, statement: str, ___: object, context: Any, ____: object) -> None:
        if context.compiled is not None and context.cache_hit is not CacheStats.CACHE_HIT:
            compiled.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    Stored(database).finish()
    assert compiled == []
