"""The content of a report, from one snapshot of a job."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from service.database.datasets import stored
from service.database.states import JOB_ENDED
from service.database.tables import Job
from service.errors import NotFound
from service.findings.comparison.job import compare_once
from service.findings.reports import results
from service.findings.reports.document import Block, Code, Document, Paragraph, Section, Table
from service.findings.reports.figures import figures
from service.findings.reports.methods import references_of
from service.findings.reports.protocol import protocol, question, spaces
from service.jobs import receipts
from service.jobs.specs import spec_of
from service.spec.job import JobSpec
from service.spec.problems import Data


def document_of(session: Session, job: Job, *, draws: bool) -> Document:
    """Write the report of a job; ``draws`` also draws its plots.

    The bytes of the parts depend on the stored job alone: no time of the request, no address.
    """
    spec = spec_of(job)
    # The comparison that all pictures of the report share.
    found = compare_once(session, job, baseline=None, target=None, tuned=None, criterion=None)
    shown = tuple(figures(session, job, spec, found, draws=draws))
    drawn = () if draws or (bars := results.intervals(found)) is None else (bars,)
    result: tuple[Block, ...] = tuple(part for part in (results.table(found), *results.chosen(found)) if part)
    named = _with_name_of_data(session, job, spec)
    sections = [
        Section("Question", tuple(_question(job, named, found))),
        Section("Protocol", (Paragraph(protocol(named, found)), _spaces(spec))),
        Section("Answer", tuple(results.answer(found))),
        Section("Results", result),
        Section("Figures", (*drawn, *shown)),
        Section("Warnings", (results.warnings(found),)),
        Section("Receipt", (_receipt(job),)),
        Section("How to repeat it", tuple(_repeat(job))),
    ]
    return Document(
        title=job.name,
        subtitle=_subtitle(job),
        sections=tuple(section for section in sections if section.blocks),
        references=references_of(spec, found),
    )


def _with_name_of_data(session: Session, job: Job, spec: JobSpec) -> JobSpec:
    """Name an uploaded dataset as its owner did, instead of by its id; a deleted one keeps the id."""
    problem = spec.problem
    if not isinstance(problem, Data):
        return spec
    try:
        name = stored.find(session, job.owner, problem.dataset).name
    except NotFound:
        return spec
    return spec.model_copy(update={"problem": problem.model_copy(update={"dataset": name})})


def _question(job: Job, spec: JobSpec, found: dict[str, Any]) -> Iterator[Block]:
    yield Paragraph(question(spec, found))
    if job.note:
        yield Paragraph(f"Note: {job.note}")


def _spaces(spec: JobSpec) -> Table:
    columns = ("label", "method", "hyper-parameters", "settings")
    return Table("Optimizers and their spaces; all else is at its default.", columns, spaces(spec), has_words=True)


def _subtitle(job: Job) -> str:
    ended = f", ended {job.finished_at:%Y-%m-%d %H:%M} UTC" if job.finished_at else ""
    return f"Job {job.id}, {job.status}, created {job.created_at:%Y-%m-%d %H:%M} UTC{ended}"


def _receipt(job: Job) -> Block:
    environment = receipts.shown(job)
    if environment is None:
        return Paragraph("No worker has started the job yet.")
    receipt = {"digest of the spec": job.spec_digest, **environment, "dtype": job.spec["dtype"]}
    rows = tuple((name.replace("_", " "), str(value)) for name, value in receipt.items())
    return Table("Environment of the training.", ("item", "value"), rows, has_words=True)


def _repeat(job: Job) -> Iterator[Block]:
    yield Paragraph(
        "The same spec gives the same histories, bit by bit, with the same version of torch on the same kind of "
        "processor. Save the spec as spec.json, and submit it:"
    )
    yield Code(spec_text(job), "json")
    yield Code(
        "ravine submit spec.json --watch\n"
        'curl -s "$RAVINE_URL/v1/jobs" -H "Content-Type: application/json" -d @spec.json',
        "sh",
    )
    if job.status in JOB_ENDED:
        yield Paragraph("The bundle of this job can be trained again and compared bit by bit without a service:")
        yield Code(f"ravine bundle {job.id} -o bundle.zip\nravine verify bundle.zip", "sh")


def spec_text(job: Job) -> str:
    """Write the stored spec as JSON in ASCII, in which no text of a user can end a block of code.

    Each field of the spec has a line, and each optimizer.
    """
    lines = []
    for name, value in job.spec.items():
        written = json.dumps(value)
        if name == "optimizers":
            written = "[\n    " + ",\n    ".join(map(json.dumps, value)) + "\n  ]"
        lines.append(f'  "{name}": {written}')
    text = "{\n" + ",\n".join(lines) + "\n}"
    # A backslash and a grave accent as their codes: nothing ends a listing of LaTeX or a fence of Markdown.
    return text.replace("\\\\", "\\u005c").replace("`", "\\u0060")
