"""Jobs as clients see them: create, find, cancel, delete. No function commits."""

from typing import Any

from sqlalchemy import exists, false, select, update
from sqlalchemy.orm import Session

from service.database.ids import is_id
from service.database.statements import seconds_from_now
from service.database.states import JOB_ENDED, JobStatus
from service.database.tables import Job
from service.errors import Conflict, NotFound, RavineError
from service.jobs import endings, removal
from service.jobs.creating import Order, create_all
from service.jobs.owners import Caller
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import Price

_HAS_EXPIRED = Job.expires_at < seconds_from_now()
# Whether ``remove_expired`` has something to do.
HAS_EXPIRED = exists(select(Job.key).where(_HAS_EXPIRED))


def create(
    session: Session,
    spec: JobSpec,
    cost: Price,
    *,
    owner: str = "",
    dataset_key: int | None = None,
    idempotency_key: str | None = None,
    settings: Settings | None = None,
    traceparent: str | None = None,
) -> tuple[Job, bool]:
    """Store a job with its shards, and return whether it is new. With settings, the limits of its owner apply.

    Raises:
        Rejected: The idempotency key was used for another body.
        TooMuchOpen: The open jobs of the owner reach a limit of the settings.
        QuotaReached: The jobs of the owner would store more than the settings allow.
    """
    order = Order(spec, cost, owner, dataset_key, idempotency_key, traceparent)
    (created,) = create_all(session, [order], settings)
    if isinstance(created, RavineError):
        raise created
    return created.job, created.is_new


def _visible(caller: Caller, job_id: str) -> tuple[Any, ...]:
    """Return the conditions under which a caller sees a job; a job of another owner does not exist for it."""
    # Other texts than ids are not compared: PostgreSQL rejects texts with a zero character.
    chosen = Job.id == job_id if is_id(job_id) else false()
    return (chosen,) if caller.is_admin else (chosen, Job.owner == caller.id)


def find(session: Session, job_id: str, caller: Caller) -> Job:
    """Find a job.

    Raises:
        NotFound: The caller has no job with this id.
    """
    job = session.execute(select(Job).where(*_visible(caller, job_id))).scalar_one_or_none()
    if job is None:
        raise NotFound(f"there is no job {job_id!r}")
    return job


def cancel(session: Session, job_id: str, caller: Caller) -> Job:
    """Cancel a job: its queued shards end at once, the others when their workers check next.

    Raises:
        NotFound: The caller has no job with this id.
        Conflict: The job has ended.
    """
    job = find_locked(session, job_id, caller)
    if job.status in JOB_ENDED:
        raise Conflict(f"the job has ended already: it is {job.status}")
    if job.status != JobStatus.CANCELLING:
        session.execute(update(Job).where(Job.key == job.key).values(status=JobStatus.CANCELLING))
        endings.cancel_queued(session, job.key)
        endings.end_job_with_its_last_shard(session, job.key)
    session.refresh(job)
    return job


def remove(session: Session, job_id: str, caller: Caller) -> None:
    """Delete a job; the rows that belong to it are removed later (removal.py).

    Raises:
        NotFound: The caller has no job with this id.
        Conflict: Workers train the job.
    """
    job = find_locked(session, job_id, caller)
    if job.status in {JobStatus.RUNNING, JobStatus.CANCELLING}:
        raise Conflict(f"the job is {job.status}: cancel it first, and delete it when it has ended")
    removal.begin(session, job)


def remove_expired(session: Session) -> int:
    """Delete at most 20 jobs whose time to live is over, without those that another process is deleting."""
    query = select(Job).where(_HAS_EXPIRED).limit(20).with_for_update(skip_locked=True)
    expired = list(session.execute(query).scalars())
    for job in expired:
        removal.begin(session, job)
    return len(expired)


def find_locked(session: Session, job_id: str, caller: Caller) -> Job:
    """Find a job, and lock its row.

    Raises:
        NotFound: The caller has no job with this id.
    """
    job = session.execute(select(Job).where(*_visible(caller, job_id)).with_for_update()).scalar_one_or_none()
    if job is None:
        raise NotFound(f"there is no job {job_id!r}")
    return job
