"""Routes of jobs: create, list, get, cancel, continue, delete."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Header, Query, Request, Response
from pydantic import Field

from service.api.http.cursors import read_cursor, write_cursor
from service.api.http.json_answers import answer
from service.api.posted_data import complete
from service.api.routes.dependencies import (
    Documented,
    PageQuery,
    TheCaller,
    TheDatabase,
    TheDispatcher,
    TheSettings,
    guarded,
)
from service.api.routes.foreign_kinds import settled
from service.api.routes.status import answer_status
from service.api.routes.stored import NO_JOB
from service.api.schemas.answers import Page, Problem
from service.api.schemas.jobs import AtMost, DryRun, JobAnswer, job_answer, size_of
from service.api.turns.routes import TurnRoute
from service.database.states import JobStatus
from service.database.tables import Job
from service.jobs import continuing, lifecycle
from service.jobs.dispatch import MESSAGES_PER_JOB
from service.jobs.limits import affordable
from service.jobs.progress import progress_of
from service.observing import tracing
from service.spec.batches import price_at_most
from service.spec.decide import MAX_DECIDE_SEEDS
from service.spec.fields import NO_ZERO_CHARACTER, Strict
from service.spec.offered_kinds import offered_kinds
from service.spec.presets.expansion import PostedJob
from service.spec.problems import PROBLEM_KINDS
from service.spec.runs import Runs

router = guarded("/v1/jobs", "jobs", TurnRoute)
CONFLICT: Documented = {409: {"model": Problem, "description": "The status of the job does not allow this."}}

if TYPE_CHECKING:  # A type checker cannot read a Literal from a tuple.
    ProblemKind = str
else:
    ProblemKind = Literal[PROBLEM_KINDS]


class JobsQuery(PageQuery):
    """Filter of the list of jobs."""

    status: JobStatus | None = Field(None, description="Only jobs with this status.")
    name: str | None = Field(
        None, max_length=200, pattern=NO_ZERO_CHARACTER, description="Only jobs whose name contains this."
    )
    problem: ProblemKind | None = Field(None, description="Only jobs on this kind of problem.")


class MoreSeeds(Strict):
    """Continuation of an undecided job."""

    max_seeds: int = Field(ge=1, le=MAX_DECIDE_SEEDS, description="Most seeds of the job, more than so far.")


@router.post(
    "",
    status_code=202,
    operation_id="create_job",
    responses={
        202: {"model": JobAnswer},
        200: {"model": DryRun, "description": "With dry_run: the size of the job; nothing is stored."},
    },
)
def create(
    posted: PostedJob,
    request: Request,
    caller: TheCaller,
    database: TheDatabase,
    dispatcher: TheDispatcher,
    settings: TheSettings,
    dry_run: Annotated[bool, Query(description="Answer the size of the job, and store nothing.")] = False,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=255, description="The same key and body give the same job.")
    ] = None,
) -> Response:
    """Create a job and queue it for the workers."""
    spec, dataset_key = complete(settled(posted, database), caller.id, database, request.app.state.tables)
    cost = affordable(spec, settings)
    if dry_run:
        runs = Runs(spec)
        at_most = AtMost(seeds=spec.decide.max_seeds, **size_of(price_at_most(spec))) if spec.decide else None
        first_runs = [asdict(runs[index]) for index in range(min(20, len(runs)))]
        return answer(DryRun(seeds=runs.num_seeds, **size_of(cost), at_most=at_most, runs=first_runs))
    database.require_space()
    with database.transaction() as session:
        job, is_new = lifecycle.create(
            session,
            spec,
            cost,
            owner=caller.id,
            dataset_key=dataset_key,
            idempotency_key=idempotency_key,
            settings=settings,
            traceparent=tracing.carrier().get("traceparent"),
        )
        shown = job_answer(job, progress_of(session, [job.key])[job.key])
    if is_new:
        dispatcher.announce(cost, offered_kinds(job.spec))
    return answer(shown, 202, {"Location": f"/v1/jobs/{job.id}"})


@router.get("", operation_id="list_jobs", responses={200: {"model": Page[JobAnswer]}})
def list_jobs(query: Annotated[JobsQuery, Query()], caller: TheCaller, database: TheDatabase) -> Response:
    """List jobs, newest first."""
    with database.snapshot() as session:
        found = lifecycle.listed(
            session,
            caller,
            before=read_cursor("jobs", query.cursor),
            limit=query.limit + 1,
            status=query.status,
            name=query.name,
            problem=query.problem,
        )
        shown = found[: query.limit]
        totals = progress_of(session, [job.key for job in shown])
    next_cursor = write_cursor("jobs", shown[-1].key) if len(found) > query.limit else None
    waiting = database.why_full()
    # A job may be deleted between the two statements.
    items = [job_answer(job, totals[job.key], waiting) for job in shown if job.key in totals]
    return answer({"items": items, "next": next_cursor})


@router.get(
    "/{job_id}",
    operation_id="get_job",
    responses={200: {"model": JobAnswer}, 304: {"description": "The job has not changed since this ETag."}, **NO_JOB},
)
async def get(job_id: str, request: Request, caller: TheCaller) -> Response:
    """Get a job. Poll with If-None-Match: an unchanged job is answered with 304 and no body."""
    return await answer_status(request, job_id, caller)


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    operation_id="cancel_job",
    responses={202: {"model": JobAnswer}, **NO_JOB, **CONFLICT},
)
def cancel(job_id: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Cancel a job; recorded rows are kept."""
    with database.transaction() as session:
        job: Job = lifecycle.cancel(session, job_id, caller)
        shown = job_answer(job, progress_of(session, [job.key])[job.key], database.why_full())
    return answer(shown, 202)


@router.post(
    "/{job_id}/continue",
    status_code=202,
    operation_id="continue_job",
    responses={202: {"model": JobAnswer}, **NO_JOB, **CONFLICT},
)
def go_on(
    job_id: str,
    more: MoreSeeds,
    caller: TheCaller,
    database: TheDatabase,
    dispatcher: TheDispatcher,
    settings: TheSettings,
) -> Response:
    """Continue a job that ended undecided, with more seeds. A repeated request changes nothing."""
    database.require_space()
    with database.transaction() as session:
        job, waiting = continuing.go_on(session, job_id, caller, more.max_seeds, settings)
        shown = job_answer(job, progress_of(session, [job.key])[job.key])
    if waiting is not None:
        channel, num = waiting
        dispatcher.send(channel, min(num, MESSAGES_PER_JOB))
    return answer(shown, 202)


@router.delete("/{job_id}", status_code=204, operation_id="delete_job", responses={**NO_JOB, **CONFLICT})
def delete(job_id: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Delete a job that has ended. It disappears at once; its rows are removed within seconds or minutes."""
    with database.transaction() as session:
        lifecycle.remove(session, job_id, caller)
    return Response(status_code=204)
