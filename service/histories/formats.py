"""Formats of exported rows: name, media type and writers of each. The name is also the suffix of a file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from service.database.reading import MetricColumns
from service.histories import lines, parquet, runs
from service.histories.reading import Selection
from service.histories.runs import Row
from service.spec.runs import Runs

JSON, CSV, PARQUET = "json", "csv", "parquet"


@dataclass(frozen=True)
class TableFormat:
    """A format of rows.

    Attributes:
        media_type: The media type without parameters, as the header Accept names it.
        write_histories: Writes metric rows, given their pieces, the selection, the job's id and its runs.
        write_runs: Writes runs, given pages of rows and the job's runs.
        parameters: Parameters of the media type in the header Content-Type.
    """

    media_type: str
    write_histories: Callable[[Iterable[MetricColumns], Selection, str, Runs], Iterator[bytes]]
    write_runs: Callable[[Iterable[list[Row]], Runs], Iterator[bytes]]
    parameters: str = ""

    @property
    def content_type(self) -> str:
        """Give the value of the header Content-Type."""
        return self.media_type + self.parameters


def _csv(*, excel: bool) -> TableFormat:
    return TableFormat(
        "text/csv",
        lambda pieces, selection, job_id, of_job: lines.csv_lines(
            pieces, selection.columns, job_id, of_job, excel=excel
        ),
        lambda pages, of_job: runs.csv_rows(pages, runs.columns_of(of_job), excel=excel),
        "; charset=utf-8",
    )


TABLE_FORMATS: dict[str, TableFormat] = {
    CSV: _csv(excel=False),
    "ndjson": TableFormat(
        "application/x-ndjson",
        lambda pieces, selection, job_id, of_job: lines.ndjson_lines(
            pieces, selection.fields, selection.dimension, job_id, of_job
        ),
        lambda pages, _: runs.ndjson_rows(pages),
    ),
    PARQUET: TableFormat(
        "application/vnd.apache.parquet",
        lambda pieces, selection, job_id, of_job: parquet.parquet_file(pieces, selection.columns, job_id, of_job),
        lambda pages, of_job: runs.parquet_rows(pages, runs.columns_of(of_job)),
    ),
}

_EXCEL = _csv(excel=True)


def table_format(name: str, *, excel: bool) -> TableFormat:
    """Give a format by its name; ``excel`` is CSV for spreadsheet programs."""
    return _EXCEL if excel else TABLE_FORMATS[name]


if TYPE_CHECKING:  # A type checker cannot read a Literal from a dictionary.
    FormatName = str
else:
    FormatName = Literal[JSON, *TABLE_FORMATS]
