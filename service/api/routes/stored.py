"""Stored jobs and runs by id, with the runs that the job's spec describes."""

from sqlalchemy.orm import Session

from service.api.routes.dependencies import Documented
from service.api.schemas.answers import Problem
from service.database.ids import split_run_id
from service.database.tables import Job, Run
from service.errors import NotFound
from service.jobs import lifecycle, run_states
from service.jobs.owners import Caller
from service.jobs.specs import spec_of
from service.spec.runs import Runs

NO_JOB: Documented = {404: {"model": Problem, "description": "There is no such job."}}


def find_job(session: Session, job_id: str, caller: Caller) -> tuple[Job, Runs]:
    """Find a job of a caller.

    Raises:
        NotFound: The caller has no job with this id.
    """
    job = lifecycle.find(session, job_id, caller)
    return job, Runs(spec_of(job))


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
