"""Stored jobs and runs by id, with the runs that the job's spec describes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from service.api.routes.dependencies import Documented
from service.api.schemas.answers import Problem
from service.database.connection import Database
from service.database.ids import split_run_id
from service.database.states import JOB_ENDED
from service.database.tables import Job, Run
from service.errors import NotFound
from service.jobs import lifecycle, run_states
from service.jobs.owners import Caller
from service.jobs.progress import progress_of_all
from service.jobs.specs import runs_of
from service.settings import VERSION
from service.spec.runs import Runs

NO_JOB: Documented = {404: {"model": Problem, "description": "There is no such job."}}


@dataclass(frozen=True)
class Standing:
    """How jobs stand: a text that changes whenever rows of them are stored, and whether all have ended."""

    text: str
    has_ended: bool


async def standing(database: Database, job_ids: Sequence[str], caller: Caller) -> Standing:
    """Read how jobs of a caller stand, before an answer is computed from their rows.

    Raises:
        NotFound: The caller has no job with one of the ids.
    """
    return await run_in_threadpool(_standing, database, job_ids, caller)


def _standing(database: Database, job_ids: Sequence[str], caller: Caller) -> Standing:
    with database.snapshot() as session:
        jobs = [lifecycle.find(session, job_id, caller) for job_id in job_ids]
        totals = progress_of_all(session, jobs)
    # Rows are stored together with progress.
    texts = [
        f"{job.id} {job.name!r} {job.note!r} {job.status} {totals[job.key].epochs_done} {totals[job.key].runs_ended}"
        for job in jobs
    ]
    return Standing(" ".join([VERSION, *texts]), all(job.status in JOB_ENDED for job in jobs))


def find_job(session: Session, job_id: str, caller: Caller) -> tuple[Job, Runs]:
    """Find a job of a caller.

    Raises:
        NotFound: The caller has no job with this id.
    """
    job = lifecycle.find(session, job_id, caller)
    return job, runs_of(job)


def find_run(session: Session, run_id: str, caller: Caller) -> tuple[Job, Runs, Run]:
    """Find a run of a caller.

    Raises:
        NotFound: The caller has no run with this id.
    """
    job_id, index = split_run_id(run_id)
    try:
        job, runs = find_job(session, job_id, caller)
    except NotFound:
        raise NotFound(f"there is no run {run_id!r}") from None
    row = run_states.find(session, job, index)
    if row is None:
        raise NotFound(f"there is no run {run_id!r}")
    return job, runs, row
