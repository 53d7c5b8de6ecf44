"""Reports and bundles of jobs: one file to read, and one file to train again."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.api.http.conditional import not_modified, tag_headers, tag_of
from service.api.http.files import answer_file
from service.api.http.negotiation import preferred
from service.api.routes import exports
from service.api.routes.comparison import ComparisonQuery, compared
from service.api.routes.dependencies import Documented, TheCaller, TheDatabase, TheWork, guarded
from service.api.routes.stored import NO_JOB, find_job, standing
from service.api.schemas.answers import Problem
from service.api.schemas.jobs import receipt_of
from service.api.turns.shared_answers import Computed
from service.api.turns.streams import Pieces
from service.database.datasets.bundled import Bundled, bundled
from service.database.tables import Job
from service.errors import Conflict
from service.findings.reports.formats import HTML, REPORT_FORMATS, ReportName, report
from service.histories import bundle
from service.jobs import lifecycle
from service.spec.visible import visible

router = guarded("/v1/jobs", "reports")
# A report opened as a document uses its own styles and pictures, and loads and runs nothing.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_NAMES = {form.media_type: name for name, form in REPORT_FORMATS.items()}
_REPORT: Documented = {
    200: {"content": {media_type: {} for media_type in _NAMES}, "description": "The report."},
    304: {"description": "The report has not changed since this ETag."},
    **NO_JOB,
}
_BUNDLE: Documented = {
    200: {
        "content": {bundle.MEDIA_TYPE: {}},
        "description": f"A zip with {', '.join(bundle.MEMBERS)}, and the file of an uploaded dataset of up to 16 MiB.",
    },
    206: {"content": {bundle.MEDIA_TYPE: {}}, "description": "The bytes that the header Range names."},
    304: {"description": "The bundle has not changed since this ETag."},
    409: {"model": Problem, "description": "The job has not ended."},
    416: {"model": Problem, "description": "The bundle has none of the bytes that the header Range names."},
    **NO_JOB,
}


class ReportQuery(BaseModel):
    """Format of a report; unknown parameters are rejected."""

    model_config = ConfigDict(extra="forbid")

    format: ReportName | None = Field(
        None, description="Format of the report; by default the header Accept decides, else html."
    )


@router.get("/{job_id}/report", operation_id="get_report", response_class=Response, responses=_REPORT)
async def get_report(
    job_id: str,
    query: Annotated[ReportQuery, Query()],
    request: Request,
    caller: TheCaller,
    database: TheDatabase,
    work: TheWork,
) -> Response:
    """Get the report of a job as one file: question, protocol, answer, tables, figures, receipt, references."""
    form = query.format or _preferred(request)
    now = await standing(database, [job_id], caller)
    question = f"report {form} {now.text}"
    tag = tag_of(question)
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged

    def compute() -> Computed:
        with database.snapshot() as session:
            return Computed(report(session, lifecycle.find(session, job_id, caller), form))

    computed = await work.answers.get(question, caller.id, request, compute)
    how = "inline" if form == HTML else "attachment"
    headers = {
        **tag_headers(tag),
        "Vary": "Accept",
        "Content-Disposition": f'{how}; filename="{job_id}-report.{form}"',
        "Content-Security-Policy": _POLICY,
    }
    return Response(computed.body, headers=headers, media_type=f"{REPORT_FORMATS[form].media_type}; charset=utf-8")


@router.get("/{job_id}/bundle", operation_id="get_bundle", response_class=Response, responses=_BUNDLE)
async def get_bundle(
    job_id: str, request: Request, caller: TheCaller, database: TheDatabase, work: TheWork
) -> Response:  # fmt: skip
    """Get the bundle of an ended job: spec, receipt, histories and comparison, for `ravine verify`."""
    now = await standing(database, [job_id], caller)
    if not now.has_ended:
        raise Conflict(f"job {job_id} has not ended: a bundle needs all of its rows; wait for its end, or cancel it")
    tag = tag_of(f"bundle {exports.WRITER} {now.text}")
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged
    comparison = await compared(job_id, ComparisonQuery(), now, request, caller, database, work)

    def make_answer() -> Response | Pieces:
        with database.snapshot() as session:
            job, runs = find_job(session, job_id, caller)
        dataset = bundled(database, job.spec)
        # A dataset may be deleted after the end of the job.
        own_tag = tag if dataset is None else tag_of(f"bundle with dataset {exports.WRITER} {now.text}")
        if (unchanged := not_modified(request, own_tag)) is not None:
            return unchanged
        receipt = receipt_of_bundle(job, dataset)
        content = None if dataset is None else dataset.content
        parts = bundle.Parts(job_id, visible(job.name), job.spec, receipt, comparison.body, content)

        def make() -> Iterator[bytes]:
            return bundle.write_bundle(parts, exports.all_histories(database, job, runs))

        headers = {"Content-Disposition": f'attachment; filename="{job_id}-bundle.zip"'}
        return answer_file(request, make, own_tag, bundle.MEDIA_TYPE, headers)

    return await work.streams.answer(request, caller.id, make_answer)


def _preferred(request: Request) -> str:
    """Choose the format that the header Accept prefers; HTML if it names none."""
    chosen = preferred(",".join(request.headers.getlist("accept")), list(_NAMES))
    return HTML if chosen is None else _NAMES[chosen]


def receipt_of_bundle(job: Job, dataset: Bundled | None = None) -> dict[str, Any]:
    """Give the receipt that a bundle holds: of its job, its status, its environment and its uploaded dataset."""
    ended = {"job_id": job.id, "status": str(job.status), "spec_digest": job.spec_digest}
    # Which runs a job that decides has trained does not follow from its spec.
    decided = {"runs_total": job.runs_total, "chosen": job.decision["chosen"]} if job.decision else None
    data = {"dataset": {"media_type": dataset.media_type, "bytes": dataset.num_bytes}} if dataset else {}
    return {**ended, **(receipt_of(job) or {}), **({"decided": decided} if decided else {}), **data}
