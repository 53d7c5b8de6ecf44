"""Jobs as clients see them: create, find, list, cancel, delete. No function commits."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import false, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database.ids import is_id, new_job_id
from service.database.statements import contains, seconds_from_now
from service.database.states import JOB_ENDED, JobStatus
from service.database.tables import Job
from service.datasets import stored
from service.errors import Conflict, NotFound, Rejected
from service.jobs import endings, quotas, removal
from service.jobs.division import store_shards
from service.jobs.limits import check_open
from service.jobs.looks import new_decision
from service.jobs.owners import Caller
from service.settings import Settings
from service.spec.batches import price_at_most
from service.spec.job import JobSpec
from service.spec.price import Price
from service.spec.problems import Data


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
    digest = spec.digest()
    if idempotency_key is not None and (known := _with_key(session, owner, idempotency_key, digest)):
        return known, False
    if dataset_key is not None and isinstance(spec.problem, Data):
        # No other transaction deletes it before this one has ended.
        stored.find(session, owner, spec.problem.dataset, keep=True)
    size = quotas.most(spec, cost)
    if settings is not None:
        check_open(session, owner, cost, size, settings)
    job = Job(
        id=new_job_id(),
        name=spec.name,
        name_folded=spec.name.casefold(),
        problem=spec.problem.kind,
        spec=spec.as_dict(),
        spec_digest=digest,
        runs_total=cost.runs_total,
        epochs_total=cost.epochs_total,
        runs_max=price_at_most(spec).runs_total if spec.decide else None,
        decision=new_decision(spec),
        created_at=datetime.now(UTC),
        idempotency_key=idempotency_key,
        owner=owner,
        dataset_key=dataset_key,
        work=cost.work,
        rows_total=size.rows,
        bytes_total=size.bytes,
        traceparent=traceparent,
    )
    try:
        with session.begin_nested():
            session.add(job)
            session.flush()
    except IntegrityError:
        # Another request with the same key has just been stored.
        if idempotency_key is not None and (known := _with_key(session, owner, idempotency_key, digest)):
            return known, False
        raise
    store_shards(session, job, cost)
    return job, True


def _with_key(session: Session, owner: str, idempotency_key: str, digest: str) -> Job | None:
    chosen = Job.owner == owner, Job.idempotency_key == idempotency_key
    job = session.execute(select(Job).where(*chosen)).scalar_one_or_none()
    if job is not None and job.spec_digest != digest:
        sentence = "this Idempotency-Key was used for another body; use a new key for a new job"
        raise Rejected.at("header", "Idempotency-Key", sentence)
    return job


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


def listed(
    session: Session,
    caller: Caller,
    *,
    before: int | None,
    limit: int,
    status: str | None,
    name: str | None,
    problem: str | None,
) -> list[Job]:
    """List the jobs of a caller, newest first, with keys below ``before``."""
    # First the keys alone, which are read from an index.
    query = select(Job.key).order_by(Job.key.desc()).limit(limit)
    if not caller.is_admin:
        query = query.where(Job.owner == caller.id)
    if before is not None:
        query = query.where(Job.key < before)
    if status is not None:
        query = query.where(Job.status == status)
    if name is not None:
        query = query.where(contains(Job.name_folded, name.casefold()))
    if problem is not None:
        query = query.where(Job.problem == problem)
    return list(session.execute(select(Job).where(Job.key.in_(query)).order_by(Job.key.desc())).scalars())


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
    query = select(Job).where(Job.expires_at < seconds_from_now()).limit(20).with_for_update(skip_locked=True)
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
