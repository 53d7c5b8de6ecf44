"""Clients, workers, late messages and lost leases in any order: after each step all tables tell one story.

Hypothesis chooses the steps. A model of a few lines says what each call must answer; the invariants are read from
the database (both in walkers.py).
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from sqlalchemy import update
from sqlalchemy.orm import Session

from service.database.connection import Database
from service.database.statements import seconds_from_now
from service.database.states import JOB_ENDED, ShardStatus, Stop
from service.database.tables import Job, Shard
from service.errors import Conflict
from service.jobs import attempts, lifecycle, shards
from service.jobs.owners import ANYBODY
from service.jobs.shards import LeaseLost
from tests.jobs.walkers import COST, EPOCHS, SPEC, JobModel, ShardModel, Story, Worker, chunk
from tests.queued import remove_rows
from tests.thorough import examples

MAX_ATTEMPTS = 3
ANY = st.integers(0, 1_000)


class Walk(Story):
    """What clients, workers and the sweep may do."""

    @precondition(lambda self: len(self.jobs) < 2)
    @rule()
    def create(self) -> None:
        with self.database.transaction() as session:
            job, _ = lifecycle.create(session, SPEC, COST)
        self.jobs.append(JobModel(job.key, job.id, [ShardModel(first, num) for first, num in COST.shards()]))

    @precondition(lambda self: self.jobs)
    @rule(number=ANY, of=st.integers(0, 1))
    def claim(self, number: int, of: int) -> None:
        """A message arrives, perhaps late, perhaps twice."""
        job = self.job(number)
        shard = job.shards[of]
        with self.database.transaction() as session:
            claim = shards.claim(session, job.key, of, lease_seconds=60, receipt={"torch": "none"})
        assert (claim is not None) == (shard.status == "queued")
        if claim is not None:
            shard.status, shard.attempt, shard.expired = "running", shard.attempt + 1, False
            assert claim.attempt == shard.attempt
            epoch = None if claim.checkpoint is None else int(claim.checkpoint)
            assert epoch == shard.epoch
            self.workers.append(Worker(claim, job, shard, epoch))

    def write(self, worker: Worker, what: Callable[[Any], Any]) -> Any:
        """Write as a worker; a write that succeeds takes the lease, one that fails must have had no right to."""
        try:
            with self.database.transaction() as session:
                answer = what(session)
        except LeaseLost:
            assert not worker.owns
            self.workers.remove(worker)
            return None
        assert worker.owns is not False
        if worker.owns is None:
            worker.shard.lost -= 1
        worker.shard.status, worker.shard.expired = "running", False
        return answer

    @precondition(lambda self: any(worker.epoch != EPOCHS for worker in self.workers))
    @rule(number=ANY)
    def record(self, number: int) -> None:
        training = [worker for worker in self.workers if worker.epoch != EPOCHS]
        worker = training[number % len(training)]
        epoch = 0 if worker.epoch is None else worker.epoch + 1

        def store(session: Session) -> bool:
            shards.record(session, worker.claim, chunk(worker.claim, epoch), lease_seconds=60)
            return attempts.look(session, worker.claim) is not Stop.CANCELLED

        go_on = self.write(worker, store)
        if go_on is not None:
            worker.epoch = worker.shard.epoch = epoch
            worker.shard.lost = 0
            assert go_on == (not worker.job.cancelling)

    @precondition(lambda self: self.workers)
    @rule(number=ANY)
    def beat(self, number: int) -> None:
        worker = self.worker(number)
        self.write(worker, lambda session: shards.beat(session, worker.claim, lease_seconds=60))

    @precondition(lambda self: self.workers)
    @rule(number=ANY, fails=st.booleans())
    def end(self, number: int, fails: bool) -> None:
        worker = self.worker(number)
        status = ShardStatus.FAILED
        if not fails:
            status = ShardStatus.CANCELLED if worker.job.cancelling else ShardStatus.COMPLETED
        if status == ShardStatus.COMPLETED and worker.epoch != EPOCHS:
            return
        why = {"reason": "training_error", "detail": "it raised"} if fails else {}
        before = worker.owns
        self.write(worker, lambda session: shards.end(session, worker.claim, status, **why))
        if before and worker in self.workers:
            self.workers.remove(worker)
            worker.shard.status = status

    @precondition(lambda self: self.jobs)
    @rule(number=ANY, of=st.integers(0, 1))
    def lose(self, number: int, of: int) -> None:
        """A worker falls silent until its lease is over; it may come back."""
        job = self.job(number)
        if job.shards[of].status == "running":
            job.shards[of].expired = True
            with self.database.transaction() as session:
                past = update(Shard).where(Shard.job_key == job.key, Shard.number == of)
                session.execute(past.values(lease_until=seconds_from_now(-1)))

    @rule()
    def sweep(self) -> None:
        with self.database.transaction() as session:
            shards.take_back(session, max_attempts=MAX_ATTEMPTS)
            lifecycle.remove_expired(session)
        for job in self.jobs:
            for shard in job.shards:
                if shard.status == "running" and shard.expired:
                    shard.expired = False
                    if job.cancelling:
                        shard.status = "cancelled"
                        continue
                    if shard.lost + 1 == MAX_ATTEMPTS:
                        shard.status = "failed"
                    else:
                        shard.status, shard.lost = "queued", shard.lost + 1

    @precondition(lambda self: self.workers)
    @rule(number=ANY)
    def take_over(self, number: int) -> None:
        """A worker falls silent, its shard is queued again, and another one claims it; the first may still come back.

        The steps are there one by one, but this order of them, on one shard, is too rare to be left to chance.
        """
        worker = self.worker(number)
        job, of = self.jobs.index(worker.job), worker.job.shards.index(worker.shard)
        self.lose(job, of)
        self.sweep()
        self.claim(job, of)

    @precondition(lambda self: self.jobs)
    @rule(number=ANY)
    def cancel(self, number: int) -> None:
        job = self.job(number)
        if job.status in JOB_ENDED:
            with pytest.raises(Conflict), self.database.transaction() as session:
                lifecycle.cancel(session, job.id, ANYBODY)
            return
        with self.database.transaction() as session:
            told = lifecycle.cancel(session, job.id, ANYBODY).status
        for shard in job.shards:
            # Asked twice it does nothing more: a shard queued again in between stops with whoever claims it.
            if shard.status == "queued" and not job.cancelling:
                shard.status = "cancelled"
        job.cancelling = True
        assert told == job.status

    @precondition(lambda self: self.jobs)
    @rule(number=ANY, by_time=st.booleans())
    def remove(self, number: int, by_time: bool) -> None:
        job = self.job(number)
        if job.status in {"running", "cancelling"}:
            with pytest.raises(Conflict), self.database.transaction() as session:
                lifecycle.remove(session, job.id, ANYBODY)
            return
        if by_time and job.status in JOB_ENDED:
            with self.database.transaction() as session:
                session.execute(update(Job).where(Job.key == job.key).values(expires_at=seconds_from_now(-1)))
                assert lifecycle.remove_expired(session) == 1
        else:
            with self.database.transaction() as session:
                lifecycle.remove(session, job.id, ANYBODY)
        remove_rows(self.database)
        self.jobs.remove(job)
        self.workers = [worker for worker in self.workers if worker.job is not job]


@pytest.mark.slow
def test_any_order_of_steps_leaves_one_story_in_all_tables(database: Database) -> None:
    class WalkHere(Walk):
        pass

    WalkHere.database = database
    run_state_machine_as_test(
        WalkHere,
        settings=settings(
            max_examples=examples(15, 40) if database.file else examples(10, 15),
            stateful_step_count=30,
            deadline=None,
            database=None,
            # Steps are few and short; making them fewer takes minutes on a database.
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
