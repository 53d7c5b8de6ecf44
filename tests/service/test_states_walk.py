"""Clients, workers, late messages and lost leases in any order: after each step all tables tell one story.

Hypothesis chooses the steps. A model of a few lines says what each call must answer; the invariants are read from
the database.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete, select, update

from service import jobs, shards
from service.database import Database, seconds_from_now
from service.doors.keys import ANYBODY
from service.errors import Conflict
from service.models import Base, Checkpoint, Job, Metric, Run, Shard
from service.recording import Outcomes, Rows
from service.shards import Claim, LeaseLost, Progress
from service.spec.job import JobSpec
from service.spec.price import price
from service.states import JOB_ENDED, RUN_ENDED, SHARD_ENDED, ShardStatus

EPOCHS = 3
MAX_ATTEMPTS = 3
SPEC = JobSpec.model_validate(
    {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [{"kind": "sgd", "lr": 0.1}],
        "seeds": {"count": 20},
        "epochs": EPOCHS,
        "ttl_seconds": 3_600,
    }
)
# Two shards, of 16 and of 4 runs.
COST = replace(price(SPEC), shard_runs=16)
ANY = st.integers(0, 1_000)


@dataclass
class ShardModel:
    """What a shard's row must say."""

    first_run: int
    num_runs: int
    status: str = "queued"
    attempt: int = 0
    lost: int = 0
    expired: bool = False
    epoch: int | None = None  # The last one that is stored.


@dataclass
class JobModel:
    """What a job's row must say."""

    key: int
    id: str
    shards: list[ShardModel] = field(default_factory=list)
    cancelling: bool = False

    @property
    def status(self) -> str:
        statuses = {shard.status for shard in self.shards}
        if statuses & {"queued", "running"}:
            begun = any(shard.attempt for shard in self.shards)
            return "cancelling" if self.cancelling else "running" if begun else "queued"
        return next((end for end in ("failed", "cancelled") if end in statuses), "completed")


@dataclass
class Worker:
    """A worker that believes it owns a shard; it may be the second or third to do so, or the first one, late."""

    claim: Claim
    job: JobModel
    shard: ShardModel
    epoch: int | None

    @property
    def owns(self) -> bool | None:
        """Whether its writes must succeed; None where its shard waits again and nobody else has taken it yet."""
        if self.shard.attempt != self.claim.attempt or self.shard.status in SHARD_ENDED:
            return False
        return True if self.shard.status == "running" else None


class Walk(RuleBasedStateMachine):
    """What clients, workers and the sweep may do."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[JobModel] = []
        self.workers: list[Worker] = []

    def job(self, number: int) -> JobModel:
        return self.jobs[number % len(self.jobs)]

    def worker(self, number: int) -> Worker:
        return self.workers[number % len(self.workers)]

    @precondition(lambda self: len(self.jobs) < 2)
    @rule()
    def create(self) -> None:
        with self.database.transaction() as session:
            job, _ = jobs.create(session, SPEC, COST)
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
        go_on = self.write(
            worker, lambda session: shards.record(session, worker.claim, chunk(worker.claim, epoch), lease_seconds=60)
        )
        if go_on is not None:
            worker.epoch = worker.shard.epoch = epoch
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
            jobs.remove_expired(session)
        for job in self.jobs:
            for shard in job.shards:
                if shard.status == "running" and shard.expired:
                    shard.expired = False
                    if job.cancelling:
                        shard.status = "cancelled"
                        continue
                    shard.lost += 1
                    shard.status = "failed" if shard.lost == MAX_ATTEMPTS else "queued"

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
                jobs.cancel(session, job.id, ANYBODY)
            return
        with self.database.transaction() as session:
            told = jobs.cancel(session, job.id, ANYBODY).status
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
                jobs.remove(session, job.id, ANYBODY)
            return
        if by_time and job.status in JOB_ENDED:
            with self.database.transaction() as session:
                session.execute(update(Job).where(Job.key == job.key).values(expires_at=seconds_from_now(-1)))
                assert jobs.remove_expired(session) == 1
        else:
            with self.database.transaction() as session:
                jobs.remove(session, job.id, ANYBODY)
        self.jobs.remove(job)
        self.workers = [worker for worker in self.workers if worker.job is not job]

    @invariant()
    def the_rows_say_what_the_model_says(self) -> None:
        with self.database.snapshot() as session:
            stored = session.execute(select(Job).order_by(Job.key)).scalars().all()
            assert [(row.key, row.status) for row in stored] == [(job.key, job.status) for job in self.jobs]
            for row in stored:
                assert (row.finished_at is None) == (row.expires_at is None) == (row.status not in JOB_ENDED)
            rows = session.execute(
                select(Shard.job_key, Shard.status, Shard.attempt).order_by(Shard.job_key, Shard.number)
            ).all()
            modelled = [(job.key, shard.status, shard.attempt) for job in self.jobs for shard in job.shards]
            assert [tuple(row) for row in rows] == modelled

    @invariant()
    def every_epoch_is_there_once_and_checkpoints_fit_the_rows(self) -> None:
        with self.database.snapshot() as session:
            found = session.execute(select(Metric.job_key, Metric.run_index, Metric.epoch)).all()
            stored = session.execute(select(Checkpoint.job_key, Checkpoint.number, Checkpoint.data)).all()
        assert Counter(tuple(row) for row in found) == Counter(
            (job.key, run, epoch)
            for job in self.jobs
            for shard in job.shards
            for run in range(shard.first_run, shard.first_run + shard.num_runs)
            for epoch in range(0 if shard.epoch is None else shard.epoch + 1)
            if epoch == 0 or run != shard.first_run
        )
        assert {(row.job_key, row.number): int(row.data) for row in stored} == {
            (job.key, number): shard.epoch
            for job in self.jobs
            for number, shard in enumerate(job.shards)
            if shard.epoch is not None and shard.status not in SHARD_ENDED
        }

    @invariant()
    def runs_go_as_their_shards_go(self) -> None:
        with self.database.snapshot() as session:
            runs = {(run.job_key, run.index): run.status for run in session.execute(select(Run)).scalars()}
        for job in self.jobs:
            for shard in job.shards:
                for index in range(shard.first_run, shard.first_run + shard.num_runs):
                    status = runs.pop((job.key, index))
                    if index == shard.first_run and shard.epoch is not None:
                        assert status == "diverged"
                    elif shard.status in SHARD_ENDED:
                        assert status == shard.status
                    else:
                        assert status == ("running" if shard.attempt else "queued")
                        assert status not in RUN_ENDED
        assert not runs, "runs of jobs that are gone"

    def teardown(self) -> None:
        with self.database.transaction() as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(delete(table))


def chunk(claim: Claim, epoch: int) -> Progress:
    """One epoch of all runs of a shard, the first of which diverged at epoch 0."""
    index_R = claim.first_run + np.arange(claim.num_runs)
    diverged_R = np.arange(claim.num_runs) == 0
    kept_R = index_R if epoch == 0 else index_R[1:]
    return Progress(
        epoch=epoch,
        epochs_done=epoch * (claim.num_runs - 1),
        runs_ended=1,
        runs_diverged=1,
        rows=Rows(("loss",), kept_R, np.full(len(kept_R), epoch), np.ones((1, len(kept_R))),
                  np.ones((1, len(kept_R)), dtype=bool)),
        outcomes=Outcomes(
            index_R=index_R,
            status=["diverged" if diverged else "running" for diverged in diverged_R],
            epochs_done_R=np.where(diverged_R, 0, epoch),
            final_loss_R=np.ones(claim.num_runs),
            best_loss_R=np.ones(claim.num_runs),
            best_epoch_R=np.zeros(claim.num_runs, dtype=np.int64),
            diverged_epoch_R=np.where(diverged_R, 0, -1),
        ),
        checkpoint=str(epoch).encode(),
    )  # fmt: skip


def test_any_order_of_steps_leaves_one_story_in_all_tables(database_url: str) -> None:
    database = Database(database_url)

    class WalkHere(Walk):
        pass

    WalkHere.database = database
    run_state_machine_as_test(
        WalkHere,
        settings=settings(
            max_examples=40 if database.is_sqlite else 15,
            stateful_step_count=30,
            deadline=None,
            database=None,
            # Steps are few and short; making them fewer takes minutes on a database.
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    database.close()
