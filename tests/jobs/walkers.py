"""A model of jobs, shards and workers, and what the tables must hold after each of its steps."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import delete, func, select

from service.database.bulk import MetricRows, Outcomes
from service.database.connection import Database
from service.database.metadata import METADATA
from service.database.metric_rows import Metric
from service.database.states import JOB_ENDED, RUN_ENDED, SHARD_ENDED
from service.database.tables import Checkpoint, Job, Run, Shard
from service.jobs import quotas, run_states
from service.jobs.shards import Chunk, Claim
from service.spec.job import JobSpec
from service.spec.price import price
from tests.queued import not_measured

EPOCHS = 3
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


class Story(RuleBasedStateMachine):
    """What has been done so far, by the model, and what the tables have to say of it."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[JobModel] = []
        self.workers: list[Worker] = []

    def job(self, number: int) -> JobModel:
        return self.jobs[number % len(self.jobs)]

    def worker(self, number: int) -> Worker:
        return self.workers[number % len(self.workers)]

    @invariant()
    def the_rows_say_what_the_model_says(self) -> None:
        with self.database.snapshot() as session:
            stored = session.execute(select(Job).order_by(Job.key)).scalars().all()
            assert [(row.key, row.status) for row in stored] == [(job.key, job.status) for job in self.jobs]
            for row in stored:
                assert (row.finished_at is None) == (row.expires_at is None) == (row.status not in JOB_ENDED)
            rows = session.execute(
                select(Shard.job_key, Shard.status, Shard.attempt, Shard.lost).order_by(Shard.job_key, Shard.number)
            ).all()
            modelled = [(job.key, shard.status, shard.attempt, shard.lost) for job in self.jobs for shard in job.shards]
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
            runs = {
                (job.key, run.index): run.status
                for job in session.execute(select(Job)).scalars()
                for run in run_states.read(session, job, range(job.runs_total))
            }
            stored = session.execute(select(Run.job_key, Run.index)).all()
        assert {tuple(row) for row in stored} == {
            (job.key, index)
            for job in self.jobs
            for shard in job.shards
            for index in range(shard.first_run, shard.first_run + shard.num_runs)
            if shard.epoch is not None
        }
        for job in self.jobs:
            for shard in job.shards:
                for index in range(shard.first_run, shard.first_run + shard.num_runs):
                    status = runs.pop((job.key, index))
                    if index == shard.first_run and shard.epoch is not None:
                        assert status == "diverged"
                    elif shard.status in SHARD_ENDED:
                        assert status == shard.status
                    else:
                        assert status == ("queued" if shard.epoch is None else "running")
                        assert status not in RUN_ENDED
        assert not runs, "runs of jobs that are gone"

    @invariant()
    def the_quota_counts_every_row(self) -> None:
        with self.database.snapshot() as session:
            num_rows = session.execute(select(func.count()).select_from(Metric)).scalar_one()
            num_runs = session.execute(select(func.count()).select_from(Run)).scalar_one()
            # One value each.
            num_bytes = num_rows * (quotas.ROW_BYTES + quotas.VALUE_BYTES) + num_runs * quotas.RUN_BYTES
            assert quotas.stored(session, "") == quotas.Size(num_rows, num_bytes)

    def teardown(self) -> None:
        with self.database.transaction() as session:
            for table in reversed(METADATA.sorted_tables):
                session.execute(delete(table))


def chunk(claim: Claim, epoch: int) -> Chunk:
    """One epoch of all runs of a shard, the first of which diverged at epoch 0."""
    index_R = claim.first_run + np.arange(claim.num_runs)
    diverged_R = np.arange(claim.num_runs) == 0
    kept_R = index_R if epoch == 0 else index_R[1:]
    return Chunk(
        epoch=epoch,
        epochs_done=epoch * (claim.num_runs - 1),
        runs_ended=1,
        runs_diverged=1,
        rows=MetricRows(("loss",), kept_R, np.full(len(kept_R), epoch), np.ones((1, len(kept_R))),
                  np.ones((1, len(kept_R)), dtype=bool)),
        outcomes=Outcomes(
            index_R=index_R,
            status=["diverged" if diverged else "running" for diverged in diverged_R],
            epochs_done_R=np.where(diverged_R, 0, epoch),
            final_loss_R=np.ones(claim.num_runs),
            best_loss_R=np.ones(claim.num_runs),
            best_epoch_R=np.zeros(claim.num_runs, dtype=np.int64),
            diverged_epoch_R=np.where(diverged_R, 0, -1),
            **not_measured(claim.num_runs),
        ),
        checkpoint=str(epoch).encode(),
    )  # fmt: skip
