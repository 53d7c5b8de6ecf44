"""Pictures of jobs over HTTP: drawn off the event loop, two at a time, and kept while they are asked for again."""

from email.header import Header as MimeHeader
from hashlib import blake2b
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from service.api.routes.answers import Documented, TheCaller, TheDatabase
from service.api.schemas.answers import Problem
from service.database.connection import Database
from service.findings.plots.gallery import Drawn, Gallery
from service.findings.plots.request import PlotQuery
from service.jobs import lifecycle
from service.jobs.owners import Caller
from service.jobs.progress import progress_of
from service.settings import VERSION

router = APIRouter(prefix="/v1/jobs", tags=["plots"])
# A file of SVG that is opened by itself may use its own styles, and load or run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_MEDIA_TYPES = {"png": "image/png", "svg": "image/svg+xml"}

# Proxies give up on headers of a few kilobytes, and a letter may need twelve of them. The SVG has all words.
_MAX_LETTERS = 600

gallery = Gallery()


def _documented(form: str) -> Documented:
    return {
        200: {
            "content": {_MEDIA_TYPES[form]: {}},
            "description": "The picture; the header Content-Description says in words what it shows.",
        },
        304: {"description": "The picture has not changed since this ETag."},
        404: {"model": Problem, "description": "There is no such job."},
    }


@router.get("/{job_id}/plot.png", operation_id="draw_png", response_class=Response, responses=_documented("png"))
def plot_png(
    job_id: str, query: Annotated[PlotQuery, Query()], request: Request, caller: TheCaller, database: TheDatabase
) -> Response:
    """Draw a job as PNG."""
    return _plot("png", job_id, query, request, caller, database)


@router.get("/{job_id}/plot.svg", operation_id="draw_svg", response_class=Response, responses=_documented("svg"))
def plot_svg(
    job_id: str, query: Annotated[PlotQuery, Query()], request: Request, caller: TheCaller, database: TheDatabase
) -> Response:
    """Draw a job as SVG."""
    return _plot("svg", job_id, query, request, caller, database)


def _plot(
    form: Literal["png", "svg"], job_id: str, query: PlotQuery, request: Request, caller: Caller, database: Database
) -> Response:
    with database.snapshot() as session:
        job = lifecycle.find(session, job_id, caller)
        progress = progress_of(session, [job.key])[job.key]
    # Rows only ever come with progress: the tag is known before anything is read or drawn.
    drawn_from = f"{VERSION} {job.id} {job.status} {progress.epochs_done} {progress.runs_ended}"
    tag = blake2b(f"{drawn_from} {form} {query.model_dump_json()}".encode(), digest_size=12).hexdigest()
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if headers["ETag"] in known:
        return Response(status_code=304, headers=headers)

    def make() -> Drawn:
        # Here, because matplotlib takes most of a second to import, which an API without pictures need not spend.
        from service.findings.plots.drawing import draw

        with database.snapshot() as session:
            return draw(session, lifecycle.find(session, job_id, caller), query, form)

    drawn = gallery.find(tag) or gallery.draw(tag, make)
    headers["Content-Description"] = MimeHeader(drawn.alt[:_MAX_LETTERS], "utf-8", maxlinelen=0).encode()
    headers["Content-Security-Policy"] = _POLICY
    return Response(drawn.data, headers=headers, media_type=_MEDIA_TYPES[form])
