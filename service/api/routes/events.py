"""Event stream of a job (server-sent events, WHATWG HTML, section 9.2)."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Header, Query, Request, Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from service.api.events.hub import Hub, Watched
from service.api.events.news import Interest
from service.api.events.stream_position import StreamPosition, read_position, write_position
from service.api.routes.dependencies import Documented, TheCaller, TheDatabase, guarded
from service.api.routes.stored import NO_JOB
from service.database.connection import Database
from service.database.states import JOB_ENDED
from service.errors import NotFound
from service.histories import reading
from service.histories.chosen import LABELS, Labels, chosen_runs
from service.jobs import lifecycle
from service.jobs.owners import Caller
from service.jobs.specs import runs_of

router = guarded("/v1", "jobs")
# The interval after which a browser reconnects, in ms.
_RETRY = b"retry: 1000\n\n"
_HEADERS = {"Cache-Control": "private, no-cache", "X-Accel-Buffering": "no"}
DOCUMENTED: Documented = {
    200: {"content": {"text/event-stream": {}}, "description": "Events until the job ends."},
    204: {"description": "The event `end` was sent already; no event follows."},
    **NO_JOB,
}


class EventsQuery(BaseModel):
    """Selection of runs and fields of an event stream; unknown parameters are rejected."""

    model_config = ConfigDict(extra="forbid")

    fields: str | None = Field(
        None, max_length=500, description="Names of fields, comma-separated; by default all fields of the job."
    )
    max_points: int | None = Field(
        None,
        ge=2,
        le=2**31 - 1,
        description="Thin each history to about this many points over all events. The points do not depend on how the "
        "rows are divided into events.",
    )
    labels: Labels | None = Field(None, description=LABELS)
    runs: str | None = Field(None, max_length=16_000, description="Only these runs: ids or indices, comma-separated.")
    last_event_id: str | None = Field(
        None,
        max_length=4_000,
        description="Continue after this event. The header Last-Event-ID takes precedence.",
    )


async def _hub(request: Request) -> Hub:
    return request.app.state.hub  # type: ignore[no-any-return]


@router.get("/jobs/{job_id}/events", operation_id="watch_job", response_class=Response, responses=DOCUMENTED)
async def watch(
    request: Request,
    job_id: str,
    query: Annotated[EventsQuery, Query()],
    caller: TheCaller,
    database: TheDatabase,
    hub: Annotated[Hub, Depends(_hub)],
    last_event_id: Annotated[str | None, Header(max_length=4_000, description="Continue after this event.")] = None,
) -> Response:
    """Stream the events of a job: `status`, `progress`, `metrics` with new rows, `decision` for each look of a job that
    decides, and `end`, which closes the stream.
    """
    watched, interest = await run_in_threadpool(_find, database, job_id, caller, query)
    position = read_position(last_event_id or query.last_event_id, job_id)
    if position.status == "end":
        if watched.job.status in JOB_ENDED:
            return Response(status_code=204)
        # The job was continued.
        position = replace(position, status="")
    if getattr(request.state, "is_head", False):
        return _headers_only()
    return EventSourceResponse(_stream(hub, watched, interest, position), headers=_HEADERS)


def _headers_only() -> Response:
    """Answer HEAD: no stream is opened."""
    response = Response(headers=_HEADERS, media_type=EventSourceResponse.media_type)
    del response.headers["content-length"]
    return response


def _find(database: Database, job_id: str, caller: Caller, query: EventsQuery) -> tuple[Watched, Interest]:
    with database.snapshot() as session:
        job = lifecycle.find(session, job_id, caller)
    # Of a job that decides also the runs that are not queued yet.
    runs = runs_of(job, at_most=True)
    selection = reading.select_fields(runs.spec, query.fields, max_points=query.max_points)
    ranges = chosen_runs(job_id, runs, query.labels, query.runs)
    labels = None if query.labels is None else tuple(query.labels)
    return Watched(job, runs), Interest(tuple(ranges), selection, labels, query.runs)


async def _stream(hub: Hub, watched: Watched, interest: Interest, position: StreamPosition) -> AsyncIterator[bytes]:
    job_id = watched.job.id
    seen, progress = None, b""
    sent_at = time.monotonic()
    yield _RETRY
    async with hub.follow(watched) as follower:
        while True:
            state = await follower.changes(seen, sent_at + hub.ping_seconds - time.monotonic())
            if follower.is_over:
                return
            if state is not None and state is not seen:
                seen = state
                if state.status != position.status:
                    position = replace(position, status=state.status)
                    yield _event("status", b'{"status":"' + state.status.encode() + b'"}', position, job_id)
                    sent_at = time.monotonic()
                if state.progress != progress:
                    progress = state.progress
                    yield _event("progress", progress, position, job_id)
                    sent_at = time.monotonic()
                for decision in await follower.looks(position.looks, state.num_looks):
                    position = replace(position, looks=position.looks + 1)
                    yield _event("decision", decision, position, job_id)
                    sent_at = time.monotonic()
                try:
                    while news := await follower.news(replace(position, status=""), interest):
                        position = replace(news.position, status=position.status)
                        if news.data is not None:
                            yield _event("metrics", news.data, position, job_id)
                            sent_at = time.monotonic()
                        if follower.is_over:
                            return
                except NotFound:
                    return
                if state.has_ended:
                    yield _event("end", state.job, replace(position, status="end"), job_id)
                    return
            if time.monotonic() - sent_at >= hub.ping_seconds:
                yield KEEPALIVE_COMMENT
                sent_at = time.monotonic()


def _event(name: str, data: bytes, position: StreamPosition, job_id: str) -> bytes:
    return format_sse_event(event=name, data_str=data.decode(), id=write_position(position, job_id))
