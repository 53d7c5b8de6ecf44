"""A deleted job disappears at once; its rows are removed in chunks, by any process, from where another one stopped."""

from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from service.database.accounts import Removal
from service.database.connection import Database
from service.database.metric_rows import Metric
from service.database.tables import Decision, Job, Run, Shard
from service.database.writing import FIRST_PLACE, delete_some
from service.errors import NotFound
from service.jobs import lifecycle, listing, quotas, removal, run_states, shards
from service.jobs.owners import ANYBODY
from service.jobs.upkeep import Upkeep
from service.spec.job import JobSpec
from service.spec.price import price
from tests.queued import count, remove_rows
from tests.stored import SPEC, Stored


def delete(database: Database, job_id: str) -> None:
    with database.transaction() as session:
        lifecycle.remove(session, job_id, ANYBODY)


def rows_of(database: Database, job_key: int) -> list[int]:
    with database.snapshot() as session:
        return [
            session.execute(select(func.count()).where(table.job_key == job_key)).scalar_one()
            for table in (Metric, Run, Decision)
        ]


def test_a_deleted_job_is_invisible_while_its_rows_are_still_there(database: Database) -> None:
    stored = Stored(database)
    stored.finish()
    delete(database, stored.id)
    assert rows_of(database, stored.job.key) == [60, 6, 0]
    assert count(database, Job) == count(database, Shard) == 0
    with database.snapshot() as session:
        assert listing.listed(session, ANYBODY, limit=10) == []
        with pytest.raises(NotFound):
            lifecycle.find(session, stored.id, ANYBODY)
        assert run_states.not_stored(session, stored.job.key) == []
    with pytest.raises(NotFound), database.transaction() as session:
        lifecycle.remove(session, stored.id, ANYBODY)


@pytest.mark.slow(after=1)
def test_rows_are_removed_in_chunks_that_another_process_continues(
    database: Database, open_database: Any, database_url: str
) -> None:
    stored, kept = (Stored(database, epochs=299) for _ in range(2))
    stored.finish()
    kept.finish()
    delete(database, stored.id)
    processes = (database, open_database(database_url))
    left = []
    for number in range(1_000):
        with processes[number % 2].transaction() as session:
            if removal.step(session, 500) is None:
                break
        left.append(sum(rows_of(database, stored.job.key)))
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0
    # On PostgreSQL a chunk may have up to one block of 64 rows more.
    assert max(before - after for before, after in zip([1_806, *left], left, strict=False)) <= 564
    assert rows_of(database, kept.job.key) == [1_800, 6, 0]
    assert count(database, Removal) == 0


def test_a_chunk_that_was_not_committed_is_removed_again(database: Database) -> None:
    stored = Stored(database, epochs=299)
    stored.finish()
    delete(database, stored.id)
    with database.transaction() as session:
        removal.step(session, 500)
        session.rollback()
    assert rows_of(database, stored.job.key)[0] == 1_800
    remove_rows(database, limit=500)
    assert rows_of(database, stored.job.key) == [0, 0, 0]
    with database.snapshot() as session:
        assert quotas.stored(session, "") == quotas.Size()


def test_a_single_long_run_is_removed_in_chunks_too(database: Database) -> None:
    stored = Stored(database, epochs=1_999, seeds=[0], optimizers=SPEC["optimizers"][:1])
    stored.finish()
    place, nums = FIRST_PLACE, []
    with database.transaction() as session:
        while place is not None:
            num, place = delete_some(session, "metrics", stored.job.key, place, 300)
            nums.append(num)
    assert sum(nums) == 2_000
    assert max(nums) <= 364


def test_two_processes_remove_different_jobs_on_postgresql(new_database: Any, open_database: Any) -> None:
    database = open_database(new_database("postgresql"))
    for owner in ("ann", "bob"):
        stored = Stored(database)
        stored.finish()
        with database.transaction() as session:
            session.execute(update(Job).values(owner=owner))
            lifecycle.remove(session, stored.id, ANYBODY)
    with database.transaction() as one, database.transaction() as other:
        other.execute(text("SET LOCAL lock_timeout = '5s'"))
        assert removal.step(one, 100) == 60
        assert removal.step(other, 100) == 60


def test_the_idempotency_key_of_a_deleted_job_is_free_at_once(database: Database) -> None:
    spec = JobSpec.model_validate(SPEC)
    ids = []
    for _ in range(2):
        with database.transaction() as session:
            job, is_new = lifecycle.create(session, spec, price(spec), idempotency_key="k")
            assert is_new
            lifecycle.cancel(session, job.id, ANYBODY)
            lifecycle.remove(session, job.id, ANYBODY)
        ids.append(job.key)
    assert ids[0] < ids[1], "the key of a deleted job was used again"


def test_upkeep_removes_all_rows_and_ends_what_a_cancellation_left(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.jobs.endings.MAX_RUNS", 2)
    stored, cancelled = (Stored(database) for _ in range(2))
    stored.finish()
    delete(database, stored.id)
    for shard, claim in enumerate(cancelled.claims):
        cancelled.store(shard, 2)
        with database.transaction() as session:
            shards.give_back(session, claim)
    with database.transaction() as session:
        assert lifecycle.cancel(session, cancelled.id, ANYBODY).status == "cancelling"
    Upkeep(database, 1.0).once()
    assert rows_of(database, stored.job.key) == [0, 0, 0]
    with database.snapshot() as session:
        job = lifecycle.find(session, cancelled.id, ANYBODY)
        assert job.status == "cancelled"
        assert {str(run.status) for run in run_states.read(session, job, range(6))} == {"cancelled"}


@pytest.mark.databases("sqlite")
def test_upkeep_without_work_does_not_write(database: Database) -> None:
    kinds = []
    watched = Database(
        database.url.render_as_string(hide_password=False), timed=lambda kind, seconds: kinds.append(kind)
    )
    with closing(watched):
        Upkeep(watched, 1.0).once()
    assert set(kinds) == {"read"}
