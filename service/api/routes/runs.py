"""Routes of runs, their histories, and the decision map of a network."""

from functools import partial
from typing import Annotated

from fastapi import Query, Request, Response

from service.api.events.news import Interest
from service.api.events.stream_position import read_position
from service.api.http.cursors import read_cursor, write_cursor
from service.api.http.json_answers import JSON as JSON_TYPE
from service.api.http.json_answers import answer, joined
from service.api.routes import exports
from service.api.routes.dependencies import Documented, TheCaller, TheDatabase, TheWork, guarded
from service.api.routes.exports import IN_PARTS, TABLES, chosen_format
from service.api.routes.run_queries import HistoriesQuery, HistoryQuery, RunsQuery
from service.api.routes.stored import find_job, find_run
from service.api.schemas.answers import (
    DecisionMap,
    Histories,
    History,
    NetworkWeights,
    Page,
    Problem,
    RunAnswer,
    run_answer,
)
from service.api.turns.routes import TurnRoute
from service.api.turns.streams import Pieces
from service.database.connection import Database
from service.database.ids import run_id
from service.histories import decisions, json_histories, reading
from service.histories.chosen import chosen_runs, indices_from, runs_with_label
from service.histories.formats import JSON
from service.jobs import run_states
from service.jobs.owners import Caller

router = guarded("/v1", "runs", TurnRoute)
NO_RUN: Documented = {404: {"model": Problem, "description": "There is no such job or run."}}


@router.get(
    "/jobs/{job_id}/runs",
    operation_id="list_runs",
    responses={200: {"model": Page[RunAnswer], "content": TABLES}, **IN_PARTS, **NO_RUN},
)
async def list_runs(
    job_id: str,
    request: Request,
    query: Annotated[RunsQuery, Query()],
    caller: TheCaller,
    database: TheDatabase,
    work: TheWork,
) -> Response:
    """List the runs of a job."""
    make = partial(_runs, job_id, request, query, caller, database)
    return await work.streams.answer(request, caller.id, make)


def _runs(job_id: str, request: Request, query: RunsQuery, caller: Caller, database: Database) -> Response | Pieces:
    if (format_name := chosen_format(request, query.format, excel=query.excel)) != JSON:
        with database.snapshot() as session:
            job, runs = find_job(session, job_id, caller)
        return exports.runs(
            request,
            database,
            job,
            runs,
            format_name,
            label=query.label,
            status=query.status,
            sort=query.sort,
            excel=query.excel,
        )
    kind = f"runs by {query.sort}"
    after = read_cursor(kind, query.cursor) or 0
    with database.snapshot() as session:
        job, runs = find_job(session, job_id, caller)
        ranges = None if query.label is None else runs_with_label(runs, query.label, "label")
        found = run_states.list_runs(
            session, job, ranges=ranges, status=query.status, sort=query.sort, after=after, limit=query.limit + 1
        )
    shown = found[: query.limit]
    next_cursor = None
    if len(found) > query.limit:
        next_cursor = write_cursor(kind, shown[-1].index + 1 if query.sort == "index" else after + query.limit)
    return answer({"items": [run_answer(job, row, runs[row.index]) for row in shown], "next": next_cursor})


@router.get("/runs/{run}", operation_id="get_run", responses={200: {"model": RunAnswer}, **NO_RUN})
def get_run(run: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Get a run: its setting, its seed, its status and its losses."""
    with database.snapshot() as session:
        job, runs, row = find_run(session, run, caller)
    return answer(run_answer(job, row, runs[row.index]))


@router.get(
    "/runs/{run}/metrics",
    operation_id="get_history",
    responses={200: {"model": History, "content": TABLES}, **IN_PARTS, **NO_RUN},
)
async def get_history(
    run: str,
    request: Request,
    query: Annotated[HistoryQuery, Query()],
    caller: TheCaller,
    database: TheDatabase,
    work: TheWork,
) -> Response:
    """Get the history of a run, one column per field."""
    make = partial(_history, run, request, query, caller, database)
    return await work.streams.answer(request, caller.id, make)


def _history(run: str, request: Request, query: HistoryQuery, caller: Caller, database: Database) -> Response | Pieces:
    with database.snapshot() as session:
        job, runs, row = find_run(session, run, caller)
    selection = query.selection(runs.spec)
    if (format_name := chosen_format(request, query.format, excel=query.excel)) != JSON:
        only = [(row.index, row.index + 1)]
        return exports.histories(request, database, job, runs, only, selection, format_name, run, excel=query.excel)
    return Pieces(joined(json_histories.one_run(database, job, runs, row.index, selection)), JSON_TYPE)


@router.get("/runs/{run}/decision", operation_id="get_decision", responses={200: {"model": DecisionMap}, **NO_RUN})
def get_decision(run: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Get the decision map of a playground network over the plane, after its last epoch."""
    with database.snapshot() as session:
        job, _, row = find_run(session, run, caller)
        decision = decisions.decision_of(session, job, row.index)
    return answer(DecisionMap(run_id=run_id(job.id, row.index), **decision))


@router.get("/runs/{run}/network", operation_id="get_network", responses={200: {"model": NetworkWeights}, **NO_RUN})
def get_network(run: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Get the weights of a playground network at up to 61 epochs, also while it is trained; large jobs keep none."""
    with database.snapshot() as session:
        job, runs, row = find_run(session, run, caller)
        network = decisions.network_of(session, job, runs.spec, row.index)
    return answer(NetworkWeights(run_id=run_id(job.id, row.index), **network))


@router.get(
    "/jobs/{job_id}/metrics",
    operation_id="get_histories",
    responses={200: {"model": Histories, "content": TABLES}, **IN_PARTS, **NO_RUN},
)
async def get_histories(
    job_id: str,
    request: Request,
    query: Annotated[HistoriesQuery, Query()],
    caller: TheCaller,
    database: TheDatabase,
    work: TheWork,
) -> Response:
    """Get the histories of the runs of a job, page by page."""
    make = partial(_histories, job_id, request, query, caller, database)
    return await work.streams.answer(request, caller.id, make)


def _histories(
    job_id: str, request: Request, query: HistoriesQuery, caller: Caller, database: Database
) -> Response | Pieces:
    after = read_cursor("histories", query.cursor) or 0
    with database.snapshot() as session:
        job, runs = find_job(session, job_id, caller)
    position = read_position(query.last_event_id, job_id)
    format_name = chosen_format(request, query.format, excel=query.excel)
    ranges = chosen_runs(job_id, runs, query.labels, query.runs)
    selection = query.selection(runs.spec)
    if format_name != JSON:
        return exports.histories(
            request, database, job, runs, ranges, selection, format_name, job_id, position, excel=query.excel
        )
    if query.last_event_id is not None:
        return exports.next_rows(database, job, runs, Interest(tuple(ranges), selection), position)
    shown_per_run = min(runs.spec.rows_per_run, query.max_points or reading.MAX_PAGE_POINTS)
    limit = max(1, min(query.limit, reading.MAX_PAGE_POINTS // shown_per_run))
    page = indices_from(ranges, after, limit + 1)
    next_cursor = write_cursor("histories", page[limit]) if len(page) > limit else None
    return Pieces(joined(json_histories.page(database, job, runs, page[:limit], selection, next_cursor)), JSON_TYPE)
