"""Continuation of jobs that ended undecided, with more seeds. No function commits."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.database.states import JobStatus
from service.database.tables import Job
from service.errors import Conflict, Rejected
from service.jobs import lifecycle, looks, quotas
from service.jobs.limits import account_of, affordable, check_open
from service.jobs.owners import Caller
from service.jobs.specs import spec_of
from service.settings import Settings
from service.spec.batches import price_at_most
from service.spec.decide import objections
from service.spec.job import JobSpec


def go_on(
    session: Session, job_id: str, caller: Caller, max_seeds: int, settings: Settings
) -> tuple[Job, tuple[str, int] | None]:
    """Let an undecided job train up to ``max_seeds`` seeds. A repeated request changes nothing.

    Returns:
        The job, and the channel and the number of the shards that were queued; None for a repeated request.

    Raises:
        NotFound: The caller has no job with this id.
        Conflict: The job is not undecided.
        Rejected: ``max_seeds`` is not larger than before, or too large.
        TooMuchOpen: The open jobs of the owner reach a limit of the settings.
        QuotaReached: The jobs of the owner would store more than the settings allow.
    """
    job = lifecycle.find_locked(session, job_id, caller)
    decision = job.decision
    if decision is None:
        raise Conflict("the job does not decide: its spec has no 'decide'")
    before = decision["max_seeds"]
    if decision["status"] != looks.UNDECIDED or job.status != JobStatus.COMPLETED:
        if decision["former_ends"] and max_seeds == before:
            return job, None
        state = decision["status"] if job.status == JobStatus.COMPLETED else job.status
        raise Conflict(f"only an undecided job continues: this one is {state}")
    if max_seeds <= before:
        raise Rejected.at("body", "max_seeds", f"must be more than {before}, the seeds so far (got {max_seeds})")
    spec = _with_seeds(spec_of(job), max_seeds)
    for _, reason in objections(spec):
        raise Rejected.at("body", "max_seeds", reason)
    affordable(spec, settings)
    cost = looks.next_cost(job, max_seeds)
    check_open(session, account_of(session, job.owner), cost, quotas.most(spec, cost), settings)
    former_ends = [*decision["former_ends"], before]
    decision = {**decision, "status": looks.OPEN, "max_seeds": max_seeds, "former_ends": former_ends}
    decision.pop("stopped", None)
    # The time limit begins again when a worker claims the next shard.
    opened = {"status": JobStatus.RUNNING, "finished_at": None, "expires_at": None, "deadline_at": None}
    most = price_at_most(spec).runs_total
    session.execute(update(Job).where(Job.key == job.key).values(**opened, decision=decision, runs_max=most))
    session.refresh(job)
    waiting = looks.queue_next(session, job)
    session.refresh(job)
    return job, waiting


def _with_seeds(spec: JobSpec, max_seeds: int) -> JobSpec:
    assert spec.decide is not None
    return spec.model_copy(update={"decide": spec.decide.model_copy(update={"max_seeds": max_seeds})})
