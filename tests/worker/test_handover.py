"""States of shards after a handover, an outage of the database and the time limit, on both databases."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.database.connection import Database
from service.database.metric_rows import Metric
from service.database.statements import seconds_from_now
from service.database.states import Stop
from service.database.tables import Checkpoint, Job, Shard
from service.jobs import attempts, endings, lifecycle, shards
from service.jobs.owners import ANYBODY
from service.jobs.shards import Claim, LeaseLost
from service.settings import Settings
from tests.queued import count, create, expire
from worker import shutdown
from worker.runner import train_shard


def claim(database: Database, key: int) -> Claim:
    with database.transaction() as session:
        claimed = shards.claim(session, key, 0, lease_seconds=60.0, max_seconds=60.0, receipt={})
    assert claimed is not None
    return claimed


def shard(database: Database, key: int) -> Shard:
    with database.snapshot() as session:
        return session.get_one(Shard, (key, 0))


def look(database: Database, claimed: Claim) -> Stop | None:
    with database.snapshot() as session:
        return attempts.look(session, claimed)


def test_handovers_do_not_count_as_lost_workers(database: Database) -> None:
    key = create(database)
    for attempt in range(1, 6):
        claimed = claim(database, key)
        assert claimed.attempt == attempt
        with database.transaction() as session:
            shards.give_back(session, claimed)
        found = shard(database, key)
        assert (found.status, found.lost, found.lease_until) == ("queued", 0, None)
        with pytest.raises(LeaseLost), database.transaction() as session:
            shards.give_back(session, claimed)


def test_an_expired_lease_is_renewed_unless_another_attempt_owns_the_shard(database: Database) -> None:
    key = create(database)
    first = claim(database, key)
    expire(database)
    with database.transaction() as session:
        shards.take_back(session, max_attempts=3)
    assert (shard(database, key).status, shard(database, key).lost) == ("queued", 1)
    assert look(database, first) is None
    with database.transaction() as session:
        shards.beat(session, first, lease_seconds=60.0)
    found = shard(database, key)
    assert (found.status, found.attempt, found.lost) == ("running", 1, 0)
    expire(database)
    with database.transaction() as session:
        shards.take_back(session, max_attempts=3)
    claim(database, key)
    assert look(database, first) is Stop.LOST
    with pytest.raises(LeaseLost), database.transaction() as session:
        shards.beat(session, first, lease_seconds=60.0)


def test_a_worker_detects_a_cancel_and_the_time_limit(database: Database) -> None:
    key = create(database, time_limit_seconds=30)
    claimed = claim(database, key)
    assert look(database, claimed) is None
    with database.transaction() as session:
        session.execute(update(Job).values(deadline_at=seconds_from_now(-1)))
    assert look(database, claimed) is Stop.TIMED_OUT
    with database.transaction() as session:
        lifecycle.cancel(session, claimed.job_id, ANYBODY)
    assert look(database, claimed) is Stop.CANCELLED


def test_queued_shards_beyond_the_time_limit_end_with_the_next_sweep(database: Database) -> None:
    key = create(database, time_limit_seconds=30)
    claimed = claim(database, key)
    with database.transaction() as session:
        shards.give_back(session, claimed)
        assert endings.time_out(session) == 0
        session.execute(update(Job).values(deadline_at=seconds_from_now(-1)))
    with database.transaction() as session:
        assert endings.time_out(session) == 1
    with database.snapshot() as session:
        job = session.get_one(Job, key)
        assert (job.status, job.error_reason) == ("failed", "timeout")


def test_a_commit_whose_answer_was_lost_is_not_repeated(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database commits each chunk, but its answer to the first commit is lost."""
    original, commits = Database.transaction, 0

    @contextmanager
    def without_an_answer(of: Database, **named: Any) -> Iterator[Session]:
        nonlocal commits
        with original(of, **named) as session:
            yield session
        commits += 1
        if commits > 1 and commits % 2 == 0:
            raise OperationalError("COMMIT", {}, Exception("the connection was closed"))

    key = create(database, epochs=6)
    with monkeypatch.context() as patched:
        patched.setattr(Database, "transaction", without_an_answer)
        train_shard(database, Settings(flush_seconds=1e-9, look_seconds=0.01, lease_seconds=600), key, 0)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "completed"
    assert count(database, Metric) == 3 * 7
    assert commits > 12


def test_after_a_handover_the_attempt_does_not_renew_its_lease(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renewal after the handover would claim the shard back, and no worker would train it."""
    key = create(database)
    alive: list[bool] = []
    give_back = shards.give_back

    def handed_over(session: Session, claimed: Claim, **options: Any) -> None:
        give_back(session, claimed, **options)
        alive.append(any(thread.name == "heartbeat" for thread in threading.enumerate()))

    monkeypatch.setattr(shards, "give_back", handed_over)
    requests = iter([False, True])
    monkeypatch.setattr(shutdown, "is_requested", lambda: next(requests, True))
    train_shard(database, Settings(), key, 0)
    assert alive == [False]
    assert shard(database, key).status == "queued"


def test_a_process_that_shuts_down_hands_its_shard_over_and_claims_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With `shuffle` nothing is compiled: torch asks before each of its steps.
    key = create(database, epochs=3, shuffle=True)
    looks = 0

    def is_requested() -> bool:
        nonlocal looks
        looks += 1
        return looks > 20

    with monkeypatch.context() as patched:
        patched.setattr(shutdown, "is_requested", is_requested)
        train_shard(database, Settings(), key, 0)
        found = shard(database, key)
        assert (found.status, found.attempt, found.lost) == ("queued", 1, 0)
        assert count(database, Checkpoint) == 1
        train_shard(database, Settings(), key, 0)
        assert shard(database, key).attempt == 1
    train_shard(database, Settings(), key, 0)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "completed"
    assert count(database, Metric) == 3 * 4
