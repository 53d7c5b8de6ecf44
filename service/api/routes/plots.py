"""Routes of plots: drawn in threads, at most two at a time, and cached."""

from email.header import Header as MimeHeader
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from service.api.http.conditional import not_modified, tag_headers, tag_of
from service.api.routes.dependencies import Documented, TheCaller, TheDatabase
from service.api.routes.stored import NO_JOB
from service.database.connection import Database
from service.findings.plots.gallery import Drawn, Gallery
from service.findings.plots.request import PlotQuery
from service.jobs import lifecycle
from service.jobs.owners import Caller
from service.jobs.progress import progress_of
from service.settings import VERSION

router = APIRouter(prefix="/v1/jobs", tags=["plots"])
# An SVG opened as a document may use its own styles, but load and run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_MEDIA_TYPES = {"png": "image/png", "svg": "image/svg+xml"}

# Proxies reject headers of a few kilobytes, and a character takes up to twelve bytes. The SVG has the full text.
_MAX_LETTERS = 600

gallery = Gallery()


def _documented(form: str) -> Documented:
    return {
        200: {
            "content": {_MEDIA_TYPES[form]: {}},
            "description": "The picture; the header Content-Description describes it in words.",
        },
        304: {"description": "The picture has not changed since this ETag."},
        **NO_JOB,
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
    # Rows are stored together with progress, so the tag is known before anything is read or drawn.
    drawn_from = f"{VERSION} {job.id} {job.status} {progress.epochs_done} {progress.runs_ended}"
    tag = tag_of(f"{drawn_from} {form} {query.model_dump_json()}")
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged

    def make() -> Drawn:
        # Imported here, because matplotlib takes most of a second to load, and most processes never draw.
        from service.findings.plots.drawing import draw

        with database.snapshot() as session:
            return draw(session, lifecycle.find(session, job_id, caller), query, form)

    drawn = gallery.find(tag) or gallery.draw(tag, make)
    headers = tag_headers(tag)
    headers["Content-Description"] = MimeHeader(drawn.alt[:_MAX_LETTERS], "utf-8", maxlinelen=0).encode()
    headers["Content-Security-Policy"] = _POLICY
    return Response(drawn.data, headers=headers, media_type=_MEDIA_TYPES[form])
