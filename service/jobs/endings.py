"""Final states of jobs, and of the shards and runs that no worker trains. No function commits."""

from itertools import accumulate

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from service.database.statements import seconds_from_now
from service.database.states import JobStatus, RunStatus, ShardStatus
from service.database.tables import Job, Shard
from service.jobs import looks, shard_statements
from service.settings import Settings

# Shards, and runs that have rows, ended in one transaction: about 50 ms on SQLite.
MAX_SHARDS, MAX_RUNS = 5_000, 10_000
TIMED_OUT = "the job took longer than its time limit; what was recorded stays"

_HAS_QUEUED = exists().where(Shard.job_key == Job.key, Shard.status == ShardStatus.QUEUED)
# Whether ``cancel_more`` has something to do.
CAN_CANCEL_MORE = exists().where(Job.status == JobStatus.CANCELLING, _HAS_QUEUED)
_IS_LATE = Job.status == JobStatus.RUNNING, Job.deadline_at < seconds_from_now()
# Whether ``time_out`` has something to do.
CAN_TIME_OUT = exists(select(Job.key).where(*_IS_LATE))


def blame(session: Session, job_key: int, reason: str, detail: str | None) -> None:
    """Store the reason for which a job failed, unless it has one."""
    session.execute(
        update(Job)
        .where(Job.key == job_key, Job.error_reason.is_(None))
        .values(error_reason=reason, error_detail=detail)
    )


def end_job_with_its_last_shard(
    session: Session, job_key: int, settings: Settings | None = None
) -> tuple[str, int] | None:
    """End a job if none of its shards is open. The row of the job must be locked.

    A job that decides takes a look. If its decision stays open it does not end, and its next shards are queued, unless
    their rows would exceed a quota of ``settings``: then it ends undecided.

    Returns:
        The channel and the number of the next shards, if there are any.
    """
    of_job = {"of_job": job_key}
    statuses = set(session.execute(shard_statements.STATUSES, of_job).scalars())
    if statuses & {ShardStatus.QUEUED, ShardStatus.RUNNING}:
        return None
    job: Job = session.execute(shard_statements.WHOLE_JOB, of_job).scalar_one()
    status = JobStatus.COMPLETED
    if ShardStatus.FAILED in statuses:
        status = JobStatus.FAILED
    elif ShardStatus.CANCELLED in statuses:
        status = JobStatus.CANCELLED
    elif job.decision is not None and looks.take(session, job) == looks.OPEN:
        if job.status == JobStatus.RUNNING:
            session.refresh(job)
            reason = None if settings is None else looks.why_stopped(session, job, settings)
            if reason is None:
                return looks.queue_next(session, job)
            looks.stop(session, job, reason)
        else:
            status = JobStatus.CANCELLED
    session.execute(shard_statements.END_JOB, of_job | {"new_status": status})
    if (ttl := job.spec["ttl_seconds"]) is not None:
        session.execute(update(Job).where(Job.key == job_key).values(expires_at=seconds_from_now(ttl)))
    return None


def cancel_queued(session: Session, job_key: int) -> None:
    """Cancel queued shards of a job, as many as a short transaction can; ``cancel_more`` cancels the others.

    Running shards end when their workers check next.
    """
    _end_queued(session, job_key, ShardStatus.CANCELLED)


def cancel_more(session: Session) -> int:
    """Cancel queued shards of a job that is being cancelled, and return their number; 0 if there are none."""
    query = select(Job.key).where(Job.status == JobStatus.CANCELLING, _HAS_QUEUED).order_by(Job.key).limit(1)
    job_key = session.execute(query.with_for_update(skip_locked=True)).scalar_one_or_none()
    if job_key is None:
        return 0
    num_ended = _end_queued(session, job_key, ShardStatus.CANCELLED)
    end_job_with_its_last_shard(session, job_key)
    return num_ended


def time_out(session: Session) -> int:
    """Fail queued shards of jobs whose time limit has passed, and return the number of these jobs.

    As many shards of each job as a short transaction can; the next calls fail the others. Workers end the running
    shards when they check next.
    """
    late = select(Job.key).where(*_IS_LATE)
    keys = list(session.execute(late.order_by(Job.key).with_for_update()).scalars())
    for key in keys:
        if _end_queued(session, key, ShardStatus.FAILED):
            blame(session, key, "timeout", TIMED_OUT)
            end_job_with_its_last_shard(session, key)
    return len(keys)


def _end_queued(session: Session, job_key: int, status: ShardStatus) -> int:
    """End at most MAX_SHARDS queued shards of a job, whose row must be locked, and return their number."""
    of_job = Shard.job_key == job_key, Shard.status == ShardStatus.QUEUED
    queued = session.execute(
        select(Shard.number, Shard.first_run, Shard.num_runs, Shard.attempt)
        .where(*of_job)
        .order_by(Shard.number)
        .limit(MAX_SHARDS)
    ).all()
    # A shard that was never claimed has no rows of runs.
    runs_to_end = accumulate(shard.num_runs if shard.attempt > 0 else 0 for shard in queued)
    chosen = [shard for shard, num_runs in zip(queued, runs_to_end, strict=True) if num_runs <= MAX_RUNS] or queued[:1]
    if not chosen:
        return 0
    # Between the two statements PostgreSQL may let a worker claim one of them.
    ended = session.execute(
        update(Shard)
        .where(*of_job, Shard.number <= chosen[-1].number)
        .values(status=status, runs_ended=Shard.num_runs)
        .returning(Shard.number, Shard.first_run, Shard.num_runs, Shard.attempt)
    ).all()
    for number, first_run, num_runs, attempt in ended:
        if attempt > 0:
            end_runs(session, job_key, first_run, num_runs, status)
            drop_checkpoint(session, job_key, number)
    return len(ended)


def drop_checkpoint(session: Session, job_key: int, number: int) -> None:
    """Delete the checkpoint of a shard that has ended."""
    session.execute(shard_statements.DROP_CHECKPOINT, {"of_job": job_key, "at_number": number})


def end_runs(session: Session, job_key: int, first_run: int, num_runs: int, status: ShardStatus) -> None:
    """End the stored runs of a shard that have not ended by themselves."""
    which = {"of_job": job_key, "from_run": first_run, "to_run": first_run + num_runs}
    session.execute(shard_statements.END_RUNS, which | {"new_status": RunStatus(status)})
