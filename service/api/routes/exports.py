"""Rows over HTTP: what routes answer where a client wants CSV, NDJSON or Parquet, or what comes after an event."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from service.api.events import news
from service.api.events.cursor import Place, write_place
from service.api.schemas.answers import run_answer
from service.database.connection import Database
from service.database.reading import stream
from service.database.spans import Span
from service.database.tables import Job, Run
from service.errors import NotAcceptable
from service.histories import parquet
from service.histories import runs as runs_table
from service.histories.choice import MEDIA_TYPES, Format, choose
from service.histories.chosen import RunRange, inside
from service.histories.lines import csv_lines, ndjson_lines
from service.histories.reading import Selection
from service.histories.thinned import thinned
from service.jobs import lifecycle
from service.spec.runs import Runs

# What a route that answers tables says about its answer.
TABLES: dict[str, Any] = {media_type: {} for name, media_type in MEDIA_TYPES.items() if name != "json"}
LAST_EVENT_ID = "Last-Event-ID"
# Runs on their way at once.
_PAGE_RUNS = 5_000


def wanted_format(request: Request, asked: Format | None) -> Format:
    """Tell which format a client wants.

    Raises:
        NotAcceptable: The header Accept allows none.
    """
    chosen = choose(",".join(request.headers.getlist("accept")), asked)
    if chosen is None:
        raise NotAcceptable(
            f"this route answers {', '.join(MEDIA_TYPES.values())}; the header Accept allows none of them"
        )
    return chosen


def histories(
    database: Database,
    job: Job,
    runs: Runs,
    ranges: list[RunRange],
    selection: Selection,
    kind: Format,
    name: str,
    place: Place | None = None,
) -> Response:
    """Answer all rows of some runs that were stored after a place.

    Where a place is given, the header Last-Event-ID says up to where they go: events and further answers follow on.
    """
    with database.snapshot() as session:
        known, after = news.everything(session, job.key, place or Place())
    headers = {} if place is None or after is None else {LAST_EVENT_ID: write_place(after, job.id)}
    spans: list[Span] = []
    for shard in known:
        first = max(selection.from_epoch, place.epoch(shard.number) if place else 0)
        end = shard.end_epoch if selection.to_epoch is None else min(shard.end_epoch, selection.to_epoch + 1)
        spans += inside(ranges, Span(shard.first_run, shard.first_run + shard.num_runs, first, end))
    columns, record_every = selection.columns, runs.spec.record_every
    if selection.max_points is None:
        found = stream(database, job, spans, columns, record_every)
    else:
        found = thinned(database, job, spans, columns, record_every, selection.max_points)
    match kind:
        case "csv":
            pieces = csv_lines(found, columns, job.id, runs)
        case "ndjson":
            pieces = ndjson_lines(found, selection.fields, selection.dimension, job.id, runs)
        case _:
            pieces = parquet.parquet_file(found, columns, job.id, runs)
    return _table(pieces, kind, f"{name}-metrics", headers)


def next_rows(database: Database, job: Job, runs: Runs, interest: news.Interest, place: Place) -> Response:
    """Answer what the next event `metrics` would tell, and its id, as JSON."""
    histories = b'{"runs":[]}'
    while found := news.next_news(database, job, runs, place, interest):
        place = found.place
        if found.data is not None:
            histories = found.data
            break
    told = write_place(place, job.id)
    body = histories[:-1] + b',"next":null,"last_event_id":"' + told.encode() + b'"}'
    return Response(body, headers={LAST_EVENT_ID: told}, media_type="application/json")


def runs(
    database: Database, job: Job, runs: Runs, kind: Format, *, label: str | None, status: str | None, sort: str
) -> Response:
    """Answer the runs of a job, in the order in which they are now."""
    ranges = None if label is None else list(runs.labelled(label))
    with database.snapshot() as session:
        indices = lifecycle.run_indices(session, job, ranges=ranges, status=status, sort=sort)

    def pages() -> Iterator[list[runs_table.Row]]:
        for at in range(0, len(indices), _PAGE_RUNS):
            page = indices[at : at + _PAGE_RUNS].tolist()
            with database.snapshot() as session:
                rows = session.execute(select(Run).where(Run.job_key == job.key, Run.index.in_(page))).scalars()
                of_index = {row.index: row for row in rows}
            yield [_row(job, of_index[index], runs) for index in page if index in of_index]

    match kind:
        case "csv":
            pieces = runs_table.csv_rows(pages(), runs_table.columns_of(runs))
        case "ndjson":
            pieces = runs_table.ndjson_rows(pages())
        case _:
            pieces = runs_table.parquet_rows(pages(), runs_table.columns_of(runs))
    return _table(pieces, kind, f"{job.id}-runs", {})


def _row(job: Job, row: Run, runs: Runs) -> runs_table.Row:
    told = run_answer(job, row, runs[row.index]).model_dump()
    # On SQLite a NaN is a text.
    losses = {name: None if told[name] is None else float(told[name]) for name in ("final_loss", "best_loss")}
    return {**told, **losses, "status": str(told["status"])}


def _table(pieces: Iterator[bytes], kind: Format, name: str, headers: dict[str, str]) -> Response:
    """Answer pieces as they come. What fails before the first one is answered as any error is."""
    first = next(pieces, b"")
    told = {**headers, "Content-Disposition": f'attachment; filename="{name}.{kind}"', "Vary": "Accept"}
    charset = "; charset=utf-8" if kind == "csv" else ""
    return StreamingResponse(chain((first,), pieces), headers=told, media_type=MEDIA_TYPES[kind] + charset)
