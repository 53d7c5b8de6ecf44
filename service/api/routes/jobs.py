"""Routes of jobs: create, list, get, change name, tags and note, cancel, continue, delete."""

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Header, Query, Request, Response
from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session

from service.api.http.cursors import read_cursor, read_place, write_cursor, write_place
from service.api.http.json_answers import answer
from service.api.routes.dependencies import (
    Documented,
    PageQuery,
    TheCaller,
    TheDatabase,
    TheDispatcher,
    TheSettings,
    guarded,
)
from service.api.routes.posting import answer_posted, post_plainly
from service.api.routes.status import answer_status
from service.api.routes.stored import NO_JOB
from service.api.schemas.answers import Page, Problem
from service.api.schemas.jobs import DryRun, JobAnswer, job_answer
from service.api.turns.routes import TurnRoute, in_turn, plainly
from service.api.turns.work import Kind
from service.database.states import JobStatus
from service.database.tables import Job
from service.jobs import annotations, continuing, lifecycle, listing
from service.jobs.dispatch import MESSAGES_PER_JOB
from service.jobs.listing import After, Sort
from service.jobs.progress import progress_of
from service.spec.decide import MAX_DECIDE_SEEDS
from service.spec.fields import NO_ZERO_CHARACTER, Strict
from service.spec.presets.expansion import PostedJob
from service.spec.problems import PROBLEM_KINDS

router = guarded("/v1/jobs", "jobs", TurnRoute)
CONFLICT: Documented = {409: {"model": Problem, "description": "The status of the job does not allow this."}}

if TYPE_CHECKING:  # A type checker cannot read a Literal from a tuple.
    ProblemKind = str
else:
    ProblemKind = Literal[PROBLEM_KINDS]


MAX_TAGS = 10
Tag = Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True, pattern=NO_ZERO_CHARACTER)]


class JobsQuery(PageQuery):
    """Filter and order of the list of jobs."""

    # The cursor of an order by name contains a name.
    cursor: str | None = Field(None, max_length=4_000, description="`next` of the previous page, in the same order.")
    sort: Sort = Field(
        "created",
        description="Order: `created` (newest first), `name`, `longest` (seconds from start to end) or `runs` (most).",
    )
    status: JobStatus | None = Field(None, description="Only jobs with this status.")
    name: str | None = Field(
        None, max_length=200, pattern=NO_ZERO_CHARACTER, description="Only jobs whose name contains this."
    )
    problem: ProblemKind | None = Field(None, description="Only jobs on this kind of problem.")
    tag: Tag | None = Field(None, description="Only jobs with this tag.")


class JobChanges(Strict):
    """Changes of a job; what is left out stays."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_ZERO_CHARACTER)] = Field(
        "", description="Its name; the one in the spec stays."
    )
    tags: list[Tag] = Field([], max_length=MAX_TAGS, description="All of its tags; equal ones count once.")
    note: Annotated[str, StringConstraints(max_length=2000, pattern=NO_ZERO_CHARACTER)] | None = Field(
        None, description="Text about it; null removes it."
    )


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
@in_turn(Kind.CREATE, large=Kind.WRITE)
@plainly(post_plainly)
async def create(
    posted: PostedJob,
    request: Request,
    caller: TheCaller,
    dry_run: Annotated[bool, Query(description="Answer the size of the job, and store nothing.")] = False,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=255, description="The same key and body give the same job.")
    ] = None,
) -> Response:
    """Create a job and queue it for the workers."""
    return await answer_posted(posted, request, caller, dry_run=dry_run, idempotency_key=idempotency_key)


@router.get("", operation_id="list_jobs", responses={200: {"model": Page[JobAnswer]}})
def list_jobs(query: Annotated[JobsQuery, Query()], caller: TheCaller, database: TheDatabase) -> Response:
    """List jobs, by default newest first."""
    after = _after(query)
    with database.snapshot() as session:
        found = listing.listed(
            session,
            caller,
            after=after,
            limit=query.limit + 1,
            sort=query.sort,
            status=query.status,
            name=query.name,
            problem=query.problem,
            tag=query.tag,
        )
        shown = found[: query.limit]
        keys = [job.key for job in shown]
        totals, tags = progress_of(session, keys), annotations.tags_of(session, keys)
        last = listing.place_of(session, shown[-1], query.sort) if len(found) > query.limit else None
    next_cursor = None if last is None else _cursor(query.sort, last)
    waiting = database.why_full()
    # A job may be deleted between the two statements.
    items = [job_answer(job, totals[job.key], waiting, tags.get(job.key, ())) for job in shown if job.key in totals]
    return answer({"items": items, "next": next_cursor})


def _after(query: JobsQuery) -> After | None:
    """Read the place after which a page begins."""
    if query.sort == "created":
        key = read_cursor("jobs", query.cursor)
        return None if key is None else After(key, key)
    place = read_place(f"jobs by {query.sort}", query.cursor, str if query.sort == "name" else int)
    return None if place is None else After(*place)


def _cursor(sort: Sort, last: After) -> str:
    return write_cursor("jobs", last.key) if sort == "created" else write_place(f"jobs by {sort}", *last)


@router.get(
    "/{job_id}",
    operation_id="get_job",
    responses={200: {"model": JobAnswer}, 304: {"description": "The job has not changed since this ETag."}, **NO_JOB},
)
async def get(job_id: str, request: Request, caller: TheCaller) -> Response:
    """Get a job. Poll with If-None-Match: an unchanged job is answered with 304 and no body."""
    return await answer_status(request, job_id, caller)


@router.patch("/{job_id}", operation_id="change_job", responses={200: {"model": JobAnswer}, **NO_JOB})
def change(job_id: str, changes: JobChanges, caller: TheCaller, database: TheDatabase) -> Response:
    """Change the name, the tags or the note of a job, at any time; spec, digest and rows stay."""
    given = changes.model_dump(exclude_unset=True)
    if "tags" in given:
        given["tags"] = sorted(set(given["tags"]))
    with database.transaction() as session:
        shown = _shown(session, annotations.change(session, job_id, caller, given), database.why_full())
    return answer(shown)


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    operation_id="cancel_job",
    responses={202: {"model": JobAnswer}, **NO_JOB, **CONFLICT},
)
def cancel(job_id: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Cancel a job; recorded rows are kept."""
    with database.transaction() as session:
        shown = _shown(session, lifecycle.cancel(session, job_id, caller), database.why_full())
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
        shown = _shown(session, job)
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


def _shown(session: Session, job: Job, waiting: str | None = None) -> JobAnswer:
    tags = annotations.tags_of(session, [job.key]).get(job.key, ())
    return job_answer(job, progress_of(session, [job.key])[job.key], waiting, tags)
