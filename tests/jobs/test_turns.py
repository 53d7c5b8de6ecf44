"""Owners take turns, and so do the jobs of an owner; the cost of a claim does not grow with the number of shards."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text, update

from service.database.connection import Database
from service.database.states import ShardStatus
from service.database.tables import Job, Shard
from service.errors import TooMuchOpen
from service.jobs import lifecycle, shards, turns
from service.jobs.claims import claim_next
from service.jobs.owners import ANYBODY
from service.jobs.shards import Claim
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import price
from tests.queued import SPEC, count


def post(database: Database, owner: str = "", num_shards: int = 1, queue: str = "batch") -> int:
    """Store a job with shards of 16 runs."""
    optimizer = {"kind": "sgd", "lr": {"from": 0.01, "to": 0.1, "num": 16 * num_shards}}
    spec = JobSpec.model_validate({**SPEC, "optimizers": [optimizer]})
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, replace(price(spec), shard_runs=16), owner=owner)
        session.execute(update(Shard).where(Shard.job_key == job.key).values(queue=queue))
    return job.key


def claim(database: Database, queue: str = "batch") -> Claim | None:
    with database.transaction() as session:
        return claim_next(session, queue, lease_seconds=60, receipt={})


def claimed(database: Database, num: int) -> list[tuple[int, int]]:
    """Claim shards, and end each at once."""
    found = []
    for _ in range(num):
        held = claim(database)
        assert held is not None
        with database.transaction() as session:
            shards.end(session, held, ShardStatus.COMPLETED)
        found.append((held.job_key, held.number))
    return found


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements of a block with their values."""
    found: list[tuple[str, Any]] = []

    def collect(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        found.append((statement, values))

    event.listen(database.engine, "before_cursor_execute", collect)
    yield found
    event.remove(database.engine, "before_cursor_execute", collect)


def test_the_owner_with_the_fewest_running_shards_is_served_first(database: Database) -> None:
    first = post(database, "ana", 4)
    later = post(database, "ben", 4)
    held = [claim(database) for _ in range(4)]
    assert [(shard.job_key, shard.number) for shard in held if shard] == [
        (first, 0),
        (later, 0),
        (first, 1),
        (later, 1),
    ]
    with database.transaction() as session:
        for shard in held[1::2]:
            assert shard is not None
            shards.end(session, shard, ShardStatus.COMPLETED)
    assert [shard.owner for shard in (claim(database), claim(database)) if shard] == ["ben", "ben"]
    # Shards in another queue do not count.
    post(database, "ana", queue="interactive")
    interactive = claim(database, "interactive")
    assert interactive is not None
    assert interactive.owner == "ana"


def test_of_owners_with_equal_numbers_the_one_served_least_recently_is_next(database: Database) -> None:
    jobs = {owner: post(database, owner, 3) for owner in ("cem", "ana", "ben")}
    assert claimed(database, 3) == [(jobs[owner], 0) for owner in ("cem", "ana", "ben")]
    late = post(database, "new")
    assert claimed(database, 4) == [(late, 0), *((jobs[owner], 1) for owner in ("cem", "ana", "ben"))]


@pytest.mark.slow(after=1)
def test_a_small_job_of_the_same_owner_passes_a_large_one_after_8_and_16_shards(database: Database) -> None:
    large = post(database, num_shards=20)
    small, other = post(database, num_shards=2), post(database, num_shards=2)
    expected = [(large, number) for number in range(8)] + [(small, 0), (small, 1), (other, 0), (other, 1)]
    assert claimed(database, 12) == expected
    late = post(database)
    assert claimed(database, 2) == [(late, 0), (large, 8)]
    again = post(database, num_shards=9)
    assert claimed(database, 10)[:8] == [(again, number) for number in range(8)]
    assert claimed(database, 7) == [*((large, number) for number in range(11, 16)), (again, 8), (large, 16)]


def test_a_turn_is_over_when_an_owner_with_fewer_running_shards_waits(database: Database) -> None:
    def is_over(queue: str, owner: str) -> bool:
        with database.snapshot() as session:
            return turns.is_over(session, queue, owner)

    post(database, "ana", 3)
    claim(database)
    assert not is_over("batch", "ana")
    post(database, "ben", 3)
    assert is_over("batch", "ana")
    assert not is_over("interactive", "ana")
    held = claim(database)
    assert held is not None
    assert held.owner == "ben"
    assert not is_over("batch", "ana")
    assert not is_over("batch", "ben")


def test_a_shard_handed_over_comes_after_those_of_the_owner_that_waited(database: Database) -> None:
    first = post(database, "ana")
    held = claim(database)
    assert held is not None
    later = post(database, "ben")
    with database.transaction() as session:
        # Served at the same time as claimed, so that only the handover makes a difference.
        turns.serve(session, "batch", "ben")
        shards.give_back(session, held)
    assert claimed(database, 2) == [(later, 0), (first, 0)]


@pytest.mark.slow
def test_concurrent_claims_get_different_shards_of_different_owners(new_database: Callable[[str], str]) -> None:
    database = Database(new_database("postgresql"))
    jobs = [post(database, owner, 3) for owner in ("ana", "ben")]
    with database.transaction() as one, database.transaction() as other:
        options: dict[str, Any] = {"lease_seconds": 60, "receipt": {}}
        held = claim_next(one, "batch", **options)
        other.execute(text("SET LOCAL lock_timeout = '5s'"))
        # The claim of the first owner's job is not committed; the other owner's needs no wait.
        beside = claim_next(other, "batch", **options)
        assert held is not None
        assert beside is not None
        assert [held.job_key, beside.job_key] == jobs
    found: list[tuple[int, int]] = []

    def work() -> None:
        while (shard := claim(database)) is not None:
            found.append((shard.job_key, shard.number))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(found) == [(key, number) for key in jobs for number in (1, 2)]
    database.close()


def test_a_claim_searches_indexes_however_many_shards_wait(database: Database) -> None:
    key = post(database, "ana", 10_000)
    post(database, "ben", 2)
    assert count(database, Shard) == 10_002
    explain = "EXPLAIN QUERY PLAN " if database.file else "EXPLAIN "
    with database.engine.connect() as connection:
        if not database.file:
            connection.execute(text("ANALYZE shards"))
        with statements(database) as sent, database.transaction() as session:
            assert [found for found, _ in turns.next_shards(session, "batch")] == [key, key + 1]
            assert not turns.is_over(session, "batch", "ana")
        plans = [
            [" ".join(map(str, row)) for row in connection.exec_driver_sql(explain + statement, values)]
            for statement, values in sent
            if "WITH" in statement
        ]
    assert len(plans) == 2
    for plan in plans:
        steps = [step for step in plan if "shards" in step]
        assert steps
        assert all("ix_shards_queued" in step or "ix_shards_running" in step for step in steps), plan


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("num_runs", [1, 16, 17, 700, 5_000])
def test_the_database_divides_a_job_as_its_price_says(database: Database, num_runs: int) -> None:
    optimizer = {"kind": "sgd", "lr": {"from": 0.01, "to": 0.1, "num": num_runs}}
    spec = JobSpec.model_validate({**SPEC, "optimizers": [optimizer]})
    cost = replace(price(spec), shard_runs=16)
    with database.transaction() as session:
        lifecycle.create(session, spec, cost, owner="ana")
        rows = session.execute(
            text("SELECT number, first_run, num_runs, portion, owner FROM shards ORDER BY number")
        ).all()
    assert [(row.first_run, row.num_runs) for row in rows] == cost.shards()
    assert len(rows) == cost.num_shards
    assert [row.portion for row in rows] == [(number // 8).bit_length() for number in range(len(rows))]
    assert {row.owner for row in rows} == {"ana"}


def test_a_million_runs_are_posted_and_cancelled_by_a_few_statements(database: Database) -> None:
    """No statement for each shard or run, so that other writers wait for milliseconds."""
    sizes = []
    for num_shards in (2, 2_000):
        with statements(database) as sent:
            key = post(database, "ana", num_shards)
            with database.transaction() as session:
                lifecycle.cancel(session, session.get_one(Job, key).id, ANYBODY)
        sizes.append(len(sent))
    assert sizes[0] == sizes[1] < 30


def test_open_runs_of_an_owner_are_limited(database: Database) -> None:
    settings = Settings(max_open_runs=100)

    def create(owner: str, num: int) -> None:
        optimizer = {"kind": "sgd", "lr": {"from": 0.01, "to": 0.1, "num": num}}
        spec = JobSpec.model_validate({**SPEC, "optimizers": [optimizer]})
        with database.transaction() as session:
            lifecycle.create(session, spec, price(spec), owner=owner, settings=settings)

    create("ana", 60)
    with pytest.raises(TooMuchOpen, match="have 101 runs; at most 100 are allowed"):
        create("ana", 41)
    create("ana", 40)
    # A single job is always accepted; other owners have limits of their own.
    create("ben", 200)
    with pytest.raises(TooMuchOpen, match="201 runs"):
        create("ben", 1)
