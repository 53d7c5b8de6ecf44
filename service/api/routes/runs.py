"""Runs and their histories over HTTP."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from service.api.cursors import read_cursor, write_cursor
from service.api.events.cursor import read_place
from service.api.events.news import Interest
from service.api.routes import exports
from service.api.routes.answers import Documented, PageQuery, TheCaller, TheDatabase, answer, stream
from service.api.routes.exports import TABLES, wanted_format
from service.api.schemas.answers import Grid, Histories, History, Page, Problem, RunAnswer, run_answer
from service.database.ids import run_id, split_run_id
from service.database.states import RunStatus
from service.database.tables import Job, Run
from service.errors import NotFound
from service.histories import decisions, json_histories, reading
from service.histories.choice import Format
from service.histories.chosen import chosen_runs, indices_from
from service.jobs import lifecycle
from service.jobs.owners import Caller
from service.jobs.specs import spec_of
from service.spec.job import JobSpec
from service.spec.runs import Runs

router = APIRouter(prefix="/v1", tags=["runs"])
# The largest number that a column of epochs holds; no run has as many.
MAX_EPOCH = 2**31 - 1
FORMAT = "Rows in this format, all of them; by default the header Accept says which."
NOT_FOUND: Documented = {404: {"model": Problem, "description": "There is no such job or run."}}


class RunsQuery(PageQuery):
    """Which runs to list, and in which order."""

    sort: Literal["index", "final_loss", "best_loss"] = Field(
        "index", description="By index, or by a loss, the smallest first."
    )
    status: RunStatus | None = Field(None, description="Only runs in this state.")
    label: str | None = Field(None, max_length=500, description="Only runs of this optimizer's label.")
    format: Format | None = Field(None, description=FORMAT)


class HistoryQuery(BaseModel):
    """What of a history is wanted; anything else is refused."""

    model_config = ConfigDict(extra="forbid")

    fields: str | None = Field(None, max_length=500, description="Names, comma-separated; by default all there are.")
    from_epoch: int = Field(0, ge=0, le=MAX_EPOCH, description="First epoch.")
    to_epoch: int | None = Field(None, ge=0, le=MAX_EPOCH, description="Last epoch.")
    max_points: int | None = Field(
        None,
        ge=2,
        le=MAX_EPOCH,
        description="Thin each history to about this many points; extremes and non-finite ones stay.",
    )
    format: Format | None = Field(None, description=FORMAT)

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.to_epoch is not None and self.to_epoch < self.from_epoch:
            raise PydanticCustomError("epochs", "to_epoch must be at least from_epoch")
        return self

    def selection(self, spec: JobSpec) -> reading.Selection:
        """Read the query for the problem of a spec."""
        limits = {"from_epoch": self.from_epoch, "to_epoch": self.to_epoch, "max_points": self.max_points}
        return reading.select_fields(spec, self.fields, **limits)


class HistoriesQuery(HistoryQuery):
    """Histories of which runs."""

    labels: str | None = Field(None, max_length=5_000, description="Only runs of these labels, comma-separated.")
    # Room for the ids of a page; with commas percent-encoded it still fits into the 64 KiB that uvicorn reads of a URL.
    runs: str | None = Field(
        None,
        max_length=20_000,
        pattern=r"^[0-9a-f, -]*$",
        description="Only these runs: ids or indices, comma-separated.",
    )
    limit: int = Field(50, ge=1, le=500, description="Runs on a page; long histories make shorter pages.")
    cursor: str | None = Field(None, max_length=200, description="`next` of the page before.")
    last_event_id: str | None = Field(
        None,
        max_length=4_000,
        description="Only rows after this event, and the id that follows; empty for the beginning.",
    )


@router.get(
    "/jobs/{job_id}/runs",
    operation_id="list_runs",
    responses={200: {"model": Page[RunAnswer], "content": TABLES}, **NOT_FOUND},
)
def list_runs(
    job_id: str, request: Request, query: Annotated[RunsQuery, Query()], caller: TheCaller, database: TheDatabase
) -> Response:
    """List the runs of a job."""
    if (table := wanted_format(request, query.format)) != "json":
        with database.snapshot() as session:
            job = lifecycle.find(session, job_id, caller)
        return exports.runs(
            database, job, Runs(spec_of(job)), table, label=query.label, status=query.status, sort=query.sort
        )
    kind = f"runs by {query.sort}"
    after = read_cursor(kind, query.cursor) or 0
    with database.snapshot() as session:
        job = lifecycle.find(session, job_id, caller)
        runs = Runs(spec_of(job))
        ranges = None if query.label is None else list(runs.labelled(query.label))
        found = lifecycle.list_runs(
            session, job, ranges=ranges, status=query.status, sort=query.sort, after=after, limit=query.limit + 1
        )
    shown = found[: query.limit]
    next_cursor = None
    if len(found) > query.limit:
        next_cursor = write_cursor(kind, shown[-1].index + 1 if query.sort == "index" else after + query.limit)
    return answer({"items": [run_answer(job, row, runs[row.index]) for row in shown], "next": next_cursor})


@router.get("/runs/{run}", operation_id="get_run", responses={200: {"model": RunAnswer}, **NOT_FOUND})
def get_run(run: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Tell what one run is, and what became of it."""
    with database.snapshot() as session:
        job, row = _find(session, run, caller)
    return answer(run_answer(job, row, Runs(spec_of(job))[row.index]))


@router.get(
    "/runs/{run}/metrics",
    operation_id="get_history",
    responses={200: {"model": History, "content": TABLES}, **NOT_FOUND},
)
def get_history(
    run: str, request: Request, query: Annotated[HistoryQuery, Query()], caller: TheCaller, database: TheDatabase
) -> Response:
    """Read one run's history, a column per field."""
    with database.snapshot() as session:
        job, row = _find(session, run, caller)
    spec = spec_of(job)
    if (table := wanted_format(request, query.format)) != "json":
        ranges = [(row.index, row.index + 1)]
        return exports.histories(database, job, Runs(spec), ranges, query.selection(spec), table, run)
    return stream(json_histories.one_run(database, job, Runs(spec), row.index, query.selection(spec)))


@router.get("/runs/{run}/decision", operation_id="get_decision", responses={200: {"model": Grid}, **NOT_FOUND})
def get_decision(run: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Read what a playground's network decides on a grid of the plane, after its last epoch."""
    with database.snapshot() as session:
        job, row = _find(session, run, caller)
        decision = decisions.decision_of(session, job, row.index)
    return answer(Grid(run_id=run_id(job.id, row.index), **decision))


@router.get(
    "/jobs/{job_id}/metrics",
    operation_id="get_histories",
    responses={200: {"model": Histories, "content": TABLES}, **NOT_FOUND},
)
def get_histories(
    job_id: str, request: Request, query: Annotated[HistoriesQuery, Query()], caller: TheCaller, database: TheDatabase
) -> Response:
    """Read the histories of many runs of a job, page by page."""
    after = read_cursor("histories", query.cursor) or 0
    with database.snapshot() as session:
        job = lifecycle.find(session, job_id, caller)
    spec = spec_of(job)
    runs = Runs(spec)
    place = read_place(query.last_event_id, job_id)
    if (table := wanted_format(request, query.format)) != "json":
        ranges = chosen_runs(job_id, runs, query.labels, query.runs)
        return exports.histories(database, job, runs, ranges, query.selection(spec), table, job_id, place)
    if query.last_event_id is not None:
        ranges = chosen_runs(job_id, runs, query.labels, query.runs)
        return exports.next_rows(database, job, runs, Interest(tuple(ranges), query.selection(spec)), place)
    selection, rows_per_run = query.selection(spec), _rows_per_run(spec)
    shown_per_run = min(rows_per_run, query.max_points or reading.MAX_PAGE_POINTS)
    limit = max(1, min(query.limit, reading.MAX_PAGE_POINTS // shown_per_run))
    wanted = indices_from(chosen_runs(job_id, runs, query.labels, query.runs), after, limit + 1)
    next_cursor = write_cursor("histories", wanted[limit]) if len(wanted) > limit else None
    return stream(json_histories.page(database, job, runs, wanted[:limit], selection, next_cursor))


def _find(session: Session, run: str, caller: Caller) -> tuple[Job, Run]:
    job_id, index = split_run_id(run)
    try:
        job = lifecycle.find(session, job_id, caller)
    except NotFound:
        raise NotFound(f"there is no run {run!r}") from None
    row = session.get(Run, (job.key, index))
    if row is None:
        raise NotFound(f"there is no run {run!r}")
    return job, row


def _rows_per_run(spec: JobSpec) -> int:
    """Count the rows that a run has when it has been trained to its end."""
    return 1 + -(-spec.epochs // spec.record_every)
