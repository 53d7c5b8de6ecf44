"""Shards as workers see them: claim, record, renew the lease, end, requeue. No function commits.

Every write names its attempt and fails if a newer attempt owns the shard, so a worker that was suspended for longer
than its lease cannot write.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, exists, select, update
from sqlalchemy.orm import Session

from service.database.bulk import MetricRows, Outcomes
from service.database.statements import seconds_from_now, upsert
from service.database.states import SHARD_OPEN, JobStatus, ShardStatus
from service.database.tables import SHARD_IS_RUNNING, Checkpoint, Job, Shard
from service.database.writing import write_outcomes, write_rows
from service.jobs import quotas, receipts, shard_statements, tallies, turns
from service.jobs.endings import blame, drop_checkpoint, end_job_with_its_last_shard, end_runs
from service.jobs.specs import chosen_settings
from service.settings import Settings
from service.spec.offers import Offer

_IS_ABANDONED = SHARD_IS_RUNNING, Shard.lease_until < seconds_from_now()
# Whether ``take_back`` has something to do.
CAN_TAKE_BACK = exists(select(Shard.job_key).where(*_IS_ABANDONED))


class LeaseLost(Exception):
    """Another attempt owns the shard, or the shard has ended: this attempt must not write."""


@dataclass(frozen=True)
class Claim:
    """An attempt at a shard, with all that its training needs."""

    job_key: int
    job_id: str
    number: int
    attempt: int
    spec: dict[str, Any]
    first_run: int
    num_runs: int
    checkpoint: bytes | None
    traceparent: str | None = None
    owner: str = ""
    queue: str = ""
    kinds: str = ""
    chosen: list[int] | None = None


@dataclass(frozen=True)
class Chunk:
    """Progress, rows and states of the runs of a shard since the previous chunk."""

    epoch: int
    epochs_done: int
    runs_ended: int
    runs_diverged: int
    rows: MetricRows | None
    outcomes: Outcomes
    checkpoint: bytes | None


def claim(
    session: Session,
    job_key: int,
    number: int,
    *,
    lease_seconds: float,
    max_seconds: float | None = None,
    receipt: dict[str, Any],
    offers: Mapping[str, Offer] | None = None,
    waits: bool = True,
) -> Claim | None:
    """Claim a queued shard. Return None if it is not queued, or if ``waits`` is false and its job is locked.

    ``offers`` are the worker's installed classes by kind; the receipt has those of the job.
    """
    chosen = {"of_job": job_key, "at_number": number}
    job = session.execute(shard_statements.CLAIMED_JOB[waits], {"of_job": job_key}).one_or_none()
    if job is None:
        return None
    taken = session.execute(shard_statements.take(lease_seconds), chosen).one_or_none()
    if taken is None:
        return None
    limit = job.spec["time_limit_seconds"] or max_seconds
    if job.status == JobStatus.QUEUED:
        environment = receipts.with_classes(receipt, taken.kinds, offers or {})
        session.execute(shard_statements.start(limit), {"of_job": job_key, "new_receipt": environment})
    elif job.deadline_at is None and limit is not None:
        # The first shard of a job that was continued.
        session.execute(update(Job).where(Job.key == job_key).values(deadline_at=seconds_from_now(limit)))
    checkpoint = session.execute(shard_statements.CHECKPOINT, chosen).scalar_one_or_none()
    tallies.add(session, shards_retried=int(taken.lost > 0))
    turns.serve(session, taken.queue, job.owner)
    held = taken.attempt, job.spec, taken.first_run, taken.num_runs, checkpoint
    settings = chosen_settings(job.decision)
    return Claim(job_key, job.id, number, *held, job.traceparent, job.owner, taken.queue, taken.kinds, settings)


def record(
    session: Session, claim: Claim, chunk: Chunk, *, lease_seconds: float, decisions: int = 0, weights: int = 0
) -> None:
    """Store a chunk: rows, outcomes, progress, checkpoint and lease. Progress resets the count of lost workers.

    ``decisions`` is the number of decision maps stored with it, which count towards the quota, each with ``weights``
    bytes of weights.

    A shard that was queued again is claimed back unless another worker has it, so a refused attempt is over for ever.

    Raises:
        LeaseLost: A newer attempt owns the shard, or it has ended.
    """
    # No other attempt can change it: the guarded update below would fail.
    known = session.execute(shard_statements.PROGRESS, _values(claim)).one_or_none()
    before, bytes_before = known or (0, 0)
    # The first chunk stores the runs.
    num_runs = 0 if bytes_before else claim.num_runs
    size = quotas.of_rows(chunk.rows) + quotas.of_runs(num_runs, decisions, weights)
    progress = {
        "new_epoch": chunk.epoch,
        "new_epochs_done": chunk.epochs_done,
        "new_runs_ended": chunk.runs_ended,
        "new_runs_diverged": chunk.runs_diverged,
        "new_num_rows": size.rows,
        "new_num_bytes": size.bytes,
    }
    _check(claim, session.execute(shard_statements.record(lease_seconds), _values(claim) | progress))
    if chunk.rows is not None:
        write_rows(session, claim.job_key, chunk.rows)
    write_outcomes(session, claim.job_key, chunk.outcomes)
    if chunk.checkpoint is not None:
        row = {"job_key": claim.job_key, "number": claim.number, "data": chunk.checkpoint}
        upsert(session, Checkpoint, [row], key=("job_key", "number"))
    quotas.add(session, claim.owner, size)
    tallies.add(session, run_epochs=chunk.epochs_done - before, rows=size.rows)


def beat(session: Session, claim: Claim, *, lease_seconds: float) -> None:
    """Renew the lease between two chunks. A shard that was queued again is claimed back unless another worker has it.

    Raises:
        LeaseLost: A newer attempt owns the shard, or it has ended.
    """
    lost = case(((Shard.status == ShardStatus.QUEUED) & (Shard.lost > 0), Shard.lost - 1), else_=Shard.lost)
    until = seconds_from_now(lease_seconds)
    _guarded(session, claim, SHARD_OPEN, status=ShardStatus.RUNNING, lost=lost, lease_until=until)


def give_back(session: Session, claim: Claim, *, queue: str | None = None) -> None:
    """Queue a shard again, in another queue if one is given. The attempt counts neither as lost nor as a retry.

    Raises:
        LeaseLost: A newer attempt owns the shard, or it has ended.
    """
    _guarded(session, claim, status=ShardStatus.QUEUED, lease_until=None, queue=queue or Shard.queue)
    tallies.add(session, shards_handed_over=1)
    turns.serve(session, claim.queue, claim.owner)


def end(
    session: Session,
    claim: Claim,
    status: ShardStatus,
    *,
    reason: str | None = None,
    detail: str | None = None,
    settings: Settings | None = None,
) -> tuple[str, int] | None:
    """End a shard, and its job with the last one.

    ``settings`` have the quotas that further shards of a job which decides must fit.

    Returns:
        The channel and the number of shards that the job queued instead of its end, if there are any.

    Raises:
        LeaseLost: A newer attempt owns the shard, or it has ended.
    """
    # The row of the job is locked first, here and in cancel: of two last shards the later one must see the other's end.
    session.execute(shard_statements.LOCKED_JOB, {"of_job": claim.job_key})
    _check(claim, session.execute(shard_statements.END_SHARD, _values(claim) | {"new_status": status}))
    end_runs(session, claim.job_key, claim.first_run, claim.num_runs, status)
    drop_checkpoint(session, claim.job_key, claim.number)
    if reason is not None:
        blame(session, claim.job_key, reason, detail)
    return end_job_with_its_last_shard(session, claim.job_key, settings)


def take_back(session: Session, *, max_attempts: int) -> int:
    """Queue the shards whose leases have expired again, and return their number.

    A shard of a job that is being cancelled is cancelled; one that has lost ``max_attempts`` workers since its
    last chunk fails.
    """
    abandoned = session.execute(
        select(Shard.job_key, Shard.number, Shard.attempt, Shard.lost, Shard.first_run, Shard.num_runs, Job.status)
        .join(Job, Job.key == Shard.job_key)
        .where(*_IS_ABANDONED)
        .order_by(Shard.job_key, Shard.number)
    ).all()
    num_taken = 0
    for job_key, number, attempt, lost_before, first_run, num_runs, job_status in abandoned:
        lost = Claim(job_key, "", number, attempt, {}, first_run, num_runs, None)
        try:
            if job_status == JobStatus.CANCELLING:
                end(session, lost, ShardStatus.CANCELLED)
            elif lost_before + 1 < max_attempts:
                _guarded(session, lost, lost=Shard.lost + 1, status=ShardStatus.QUEUED, lease_until=None)
            else:
                times = f"{lost_before + 1} times without progress"
                detail = f"the worker training runs {first_run} to {first_run + num_runs - 1} was lost {times}"
                end(session, lost, ShardStatus.FAILED, reason="worker_lost", detail=detail)
        except LeaseLost:
            continue  # Its worker has renewed the lease, or another sweep has queued it.
        num_taken += 1
    return num_taken


def _guarded(
    session: Session, claim: Claim, statuses: Collection[ShardStatus] = (ShardStatus.RUNNING,), /, **values: Any
) -> None:
    """Change a shard that has one of the statuses, by default a running one, as one of its attempts.

    Raises:
        LeaseLost: A newer attempt owns the shard, or it has another status.
    """
    _check(claim, session.execute(update(Shard).where(*held(claim), Shard.status.in_(statuses)).values(**values)))


def _check(claim: Claim, changed: Any) -> None:
    """Raise LeaseLost unless the shard of a claim was changed."""
    if changed.rowcount != 1:
        raise LeaseLost(f"attempt {claim.attempt} of shard {claim.number} is over")


def held(claim: Claim) -> tuple[Any, ...]:
    """Return the conditions that select the shard of a claim, unless a newer attempt owns it."""
    return Shard.job_key == claim.job_key, Shard.number == claim.number, Shard.attempt == claim.attempt


def _values(claim: Claim) -> dict[str, Any]:
    """Give the values of statements that name the attempt of a claim."""
    return {"of_job": claim.job_key, "at_number": claim.number, "of_attempt": claim.attempt}
