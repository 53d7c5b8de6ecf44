"""Exported rows: histories and runs as CSV, NDJSON or Parquet, and the rows stored after an event."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from fastapi import Request, Response

from service.api.events import news
from service.api.events.stream_position import StreamPosition, write_position
from service.api.http.conditional import tag_of
from service.api.http.files import Make, answer_file
from service.api.http.json_answers import JSON as JSON_TYPE
from service.api.http.negotiation import negotiate
from service.api.routes.dependencies import Documented
from service.api.schemas.answers import Problem, run_answer
from service.api.turns.streams import Pieces
from service.database.connection import Database
from service.database.reading import stream
from service.database.spans import Span
from service.database.states import JOB_ENDED
from service.database.tables import Job, Run
from service.errors import Rejected
from service.histories import runs as runs_table
from service.histories.chosen import RunRange, inside, runs_with_label
from service.histories.formats import CSV, JSON, PARQUET, TABLE_FORMATS, table_format
from service.histories.reading import Selection, select_fields
from service.histories.thinned import thinned
from service.jobs import run_states
from service.settings import VERSION
from service.spec.runs import Runs

# Media types of a route that exports rows, for its documentation.
TABLES: dict[str, Any] = {form.media_type: {} for form in TABLE_FORMATS.values()}
# Further answers of such a route.
IN_PARTS: Documented = {
    206: {"content": TABLES, "description": "The bytes that the header Range names; of ended jobs only."},
    304: {"description": "The job has ended, so its export has not changed since this ETag."},
    416: {"model": Problem, "description": "The export has none of the bytes that the header Range names."},
}
LAST_EVENT_ID = "Last-Event-ID"
# Runs read in one transaction.
_PAGE_RUNS = 5_000
# The bytes of a Parquet file depend on the version that writes it.
WRITER = f"{VERSION} {version('pyarrow')}"


def chosen_format(request: Request, requested: str | None, *, excel: bool = False) -> str:
    """Name the format of an answer: the one of the query, else the one that the header Accept prefers.

    Raises:
        NotAcceptable: The header Accept allows no format.
        Rejected: Another format than CSV is requested for spreadsheet programs.
    """
    if excel:
        if requested not in (None, CSV):
            raise Rejected.at("query", "excel", f"excel=true is a form of CSV: use format=csv, not {requested}")
        return CSV
    if requested is not None:
        return requested
    names = {JSON_TYPE: JSON} | {form.media_type: name for name, form in TABLE_FORMATS.items()}
    return names[negotiate(request, list(names))]


def histories(
    request: Request,
    database: Database,
    job: Job,
    runs: Runs,
    ranges: list[RunRange],
    selection: Selection,
    format_name: str,
    file_stem: str,
    position: StreamPosition | None = None,
    *,
    excel: bool = False,
) -> Response | Pieces:
    """Give all rows of some runs that were stored after a position.

    If a position is given, the header Last-Event-ID names the position after these rows: events and further answers
    can continue there.
    """
    with database.snapshot() as session:
        known, after = news.everything(session, job.key, position or StreamPosition())
    headers = {} if position is None or after is None else {LAST_EVENT_ID: write_position(after, job.id)}
    spans: list[Span] = []
    for shard in known:
        first = max(selection.from_epoch, position.epoch(shard.number) if position else 0)
        end = shard.end_epoch if selection.to_epoch is None else min(shard.end_epoch, selection.to_epoch + 1)
        spans += inside(ranges, Span(shard.first_run, shard.first_run + shard.num_runs, first, end))
    columns, record_every = selection.columns, runs.spec.record_every

    def make() -> Iterator[bytes]:
        if selection.max_points is None:
            found = stream(database, job, spans, columns, record_every)
        else:
            found = thinned(database, job, spans, columns, record_every, selection.max_points)
        return table_format(format_name, excel=excel).write_histories(found, selection, job.id, runs)

    return _file(request, job, make, format_name, f"{file_stem}-metrics", headers)


def all_histories(database: Database, job: Job, runs: Runs) -> Iterator[bytes]:
    """Give all rows of an ended job as Parquet, in pieces."""
    with database.snapshot() as session:
        known, _ = news.everything(session, job.key, StreamPosition())
    spans = [Span(shard.first_run, shard.first_run + shard.num_runs, 0, shard.end_epoch) for shard in known]
    selection = select_fields(runs.spec, None)
    rows = stream(database, job, spans, selection.columns, runs.spec.record_every)
    return table_format(PARQUET, excel=False).write_histories(rows, selection, job.id, runs)


def next_rows(database: Database, job: Job, runs: Runs, interest: news.Interest, position: StreamPosition) -> Response:
    """Answer the rows of the next event `metrics` after a position, and the id of that event, as JSON."""
    histories = b'{"runs":[]}'
    while found := news.next_news(database, job, runs, position, interest):
        position = found.position
        if found.data is not None:
            histories = found.data
            break
    event_id = write_position(position, job.id)
    body = histories[:-1] + b',"next":null,"last_event_id":"' + event_id.encode() + b'"}'
    return Response(body, headers={LAST_EVENT_ID: event_id}, media_type=JSON_TYPE)


def runs(
    request: Request,
    database: Database,
    job: Job,
    runs: Runs,
    format_name: str,
    *,
    label: str | None,
    status: str | None,
    sort: str,
    excel: bool = False,
) -> Response | Pieces:
    """Give the runs of a job, in the order that the sort key gives at the time of the request."""
    ranges = None if label is None else runs_with_label(runs, label, "label")
    with database.snapshot() as session:
        indices = run_states.run_indices(session, job, ranges=ranges, status=status, sort=sort)

    def pages() -> Iterator[list[runs_table.Row]]:
        for at in range(0, len(indices), _PAGE_RUNS):
            page = indices[at : at + _PAGE_RUNS].tolist()
            with database.snapshot() as session:
                rows = run_states.read(session, job, page)
            yield [_row(job, row, runs) for row in rows]

    def make() -> Iterator[bytes]:
        return table_format(format_name, excel=excel).write_runs(pages(), runs)

    return _file(request, job, make, format_name, f"{job.id}-runs", {})


def _row(job: Job, row: Run, runs: Runs) -> runs_table.Row:
    shown = run_answer(job, row, runs[row.index]).model_dump()
    # SQLite gives NaN as a text.
    losses = {name: None if shown[name] is None else float(shown[name]) for name in ("final_loss", "best_loss")}
    return {**shown, **losses, "status": str(shown["status"])}


def _file(
    request: Request, job: Job, make: Make, format_name: str, stem: str, headers: dict[str, str]
) -> Response | Pieces:
    """Give rows as a file with its headers. That of a job that has ended never changes, and can be read in parts."""
    headers |= {"Content-Disposition": f'attachment; filename="{stem}.{format_name}"', "Vary": "Accept"}
    content_type = TABLE_FORMATS[format_name].content_type
    if job.status not in JOB_ENDED:
        return Pieces(make(), content_type, headers)
    tag = tag_of(f"{WRITER} {job.id} {job.finished_at} {format_name} {request.url.path}?{request.url.query}")
    return answer_file(request, make, tag, content_type, headers)
