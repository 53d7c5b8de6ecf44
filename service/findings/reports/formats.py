"""Formats of reports: the name, which is also the suffix of a file, the media type and the writer of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy.orm import Session

from service.database.tables import Job
from service.findings.reports import html, markdown, tex
from service.findings.reports.content import document_of
from service.findings.reports.document import Document

HTML = "html"


@dataclass(frozen=True)
class ReportFormat:
    """A format of reports.

    Attributes:
        media_type: The media type without parameters, as the header Accept names it.
        write: Writes a report in pieces.
        draws: Whether the file holds the plots.
    """

    media_type: str
    write: Callable[[Document], Iterator[str]]
    draws: bool = False


REPORT_FORMATS: dict[str, ReportFormat] = {
    HTML: ReportFormat("text/html", html.write, draws=True),
    "md": ReportFormat("text/markdown", markdown.write),
    "tex": ReportFormat("application/x-tex", tex.write),
}
if TYPE_CHECKING:  # A type checker cannot read a Literal from a dictionary.
    ReportName = str
else:
    ReportName = Literal[tuple(REPORT_FORMATS)]


def report(session: Session, job: Job, form: str) -> bytes:
    """Write the report of a job in a format; the same stored job gives the same bytes."""
    chosen = REPORT_FORMATS[form]
    # A lone surrogate of a name has no code in UTF-8; texts show it by its number before.
    return "".join(chosen.write(document_of(session, job, draws=chosen.draws))).encode()
