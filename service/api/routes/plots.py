"""Routes of plots."""

from email.header import Header as MimeHeader
from typing import Annotated, Literal

from fastapi import Query, Request, Response

from service.api.http.conditional import not_modified, tag_headers, tag_of
from service.api.routes.dependencies import Documented, TheCaller, TheDatabase, TheWork, guarded
from service.api.routes.stored import NO_JOB, standing
from service.api.turns.shared_answers import Computed
from service.api.turns.work import Work
from service.database.connection import Database
from service.findings.plots.request import PlotQuery
from service.jobs import lifecycle
from service.jobs.owners import Caller

router = guarded("/v1/jobs", "plots")
# An SVG opened as a document may use its own styles, but load and run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_MEDIA_TYPES = {"png": "image/png", "svg": "image/svg+xml"}

# Proxies reject headers of a few kilobytes, and a character takes up to twelve bytes. The SVG has the full text.
_MAX_LETTERS = 600


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
async def plot_png(
    job_id: str,
    query: Annotated[PlotQuery, Query()],
    request: Request,
    caller: TheCaller,
    database: TheDatabase,
    work: TheWork,
) -> Response:
    """Draw a job as PNG."""
    return await _plot("png", job_id, query, request, caller, database, work)


@router.get("/{job_id}/plot.svg", operation_id="draw_svg", response_class=Response, responses=_documented("svg"))
async def plot_svg(
    job_id: str,
    query: Annotated[PlotQuery, Query()],
    request: Request,
    caller: TheCaller,
    database: TheDatabase,
    work: TheWork,
) -> Response:
    """Draw a job as SVG."""
    return await _plot("svg", job_id, query, request, caller, database, work)


async def _plot(
    form: Literal["png", "svg"],
    job_id: str,
    query: PlotQuery,
    request: Request,
    caller: Caller,
    database: Database,
    work: Work,
) -> Response:
    now = await standing(database, [job_id], caller)
    question = f"{form} {now.text} {query.model_dump_json()}"
    tag = tag_of(question)
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged

    def compute() -> Computed:
        # Imported here, because matplotlib takes most of a second to load, and most processes never draw.
        from service.findings.plots.drawing import draw

        with database.snapshot() as session:
            drawn = draw(session, lifecycle.find(session, job_id, caller), query, form)
        return Computed(drawn.data, drawn.alt)

    computed = await work.answers.get(question, caller.id, request, compute)
    headers = tag_headers(tag)
    headers["Content-Description"] = MimeHeader(computed.alt[:_MAX_LETTERS], "utf-8", maxlinelen=0).encode()
    headers["Content-Security-Policy"] = _POLICY
    return Response(computed.body, headers=headers, media_type=_MEDIA_TYPES[form])
