"""`ravine history`: the history of a run, or of all runs of a job."""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.commands.conventions import WRONG_USE, AsJson, as_text, console, give_up, print_json, service, written
from service.cli.commands.output import print_bytes, write_file

if TYPE_CHECKING:
    from service.client import History, Ravine


class Format(StrEnum):
    """Format of the output, and suffix of its file. The last three are formats of the service."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


_OF_SERVICE = {Format.CSV, Format.NDJSON, Format.PARQUET}


def history(
    run_or_job: Annotated[str, typer.Argument(metavar="RUN|JOB", help="Id of a run, or of a job for all of its runs.")],
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Format of the output; by default that of the file's suffix, else table."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write: name.csv, name.ndjson or name.parquet; - for the output."),
    ] = None,
    fields: Annotated[str | None, typer.Option(help="Names of fields, comma-separated; by default all.")] = None,
    labels: Annotated[
        list[str] | None, typer.Option(help="For a job: only these labels, comma-separated; may be repeated.")
    ] = None,
    from_epoch: Annotated[int | None, typer.Option(help="First epoch.")] = None,
    to_epoch: Annotated[int | None, typer.Option(help="Last epoch.")] = None,
    max_points: Annotated[int | None, typer.Option(help="Thin each history to about this many rows.")] = None,
    excel: Annotated[
        bool, typer.Option("--excel", help="CSV for spreadsheet programs, in which no label runs as a formula.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the history of a run, or of all runs of a job."""
    query: dict[str, Any] = {"fields": fields, "from_epoch": from_epoch, "to_epoch": to_epoch, "max_points": max_points}
    form = Format.JSON if as_json else form
    output = None if output == Path("-") else output
    if excel:
        if form not in {None, Format.TABLE, Format.CSV}:
            give_up(f"--excel is a form of CSV: use --format csv, not {form}", WRONG_USE)
        form, query["excel"] = Format.CSV, True
    form = form or _of_suffix(output)
    is_table = form in _OF_SERVICE
    if output is not None and not is_table:
        give_up(f"{output}: the name of the file must end with .csv, .ndjson or .parquet, or add --format", WRONG_USE)
    if form is Format.PARQUET and output is None and sys.stdout.isatty():
        give_up("--format parquet is binary and cannot be printed to a terminal: add --output FILE", WRONG_USE)
    with service() as ravine:
        is_run = _is_run(ravine, run_or_job)
        if not is_run:
            query["labels"] = labels or None
        if is_table:
            which = {"run_id" if is_run else "job_id": run_or_job}
            pieces = ravine.tables(**which, format=form, **query)
            if output is None:
                print_bytes(pieces)
            else:
                write_file(pieces, output)
                typer.echo(f"Wrote {output}.")
            return
        histories = [ravine.history(run_or_job, **query)] if is_run else ravine.metrics(run_or_job, **query)
        if form is Format.JSON:
            print_json([_as_json(one) for one in histories])
        else:
            _print_tables(histories)


def _of_suffix(output: Path | None) -> Format:
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    return Format(suffix) if suffix in _OF_SERVICE else Format.TABLE


def _is_run(ravine: "Ravine", run_or_job: str) -> bool:
    """Whether an id is that of a run; the form of an id does not distinguish runs from jobs."""
    from service.client.errors import NotFound

    try:
        ravine.run(run_or_job)
    except NotFound:
        try:
            ravine.job(run_or_job)
        except NotFound as error:
            error.detail = f"there is neither a run nor a job {run_or_job!r}"
            raise
        return False
    return True


def _rows(history: "History") -> Iterator[dict[str, float | int | None]]:
    """Give one row per epoch; a position is x and y, and values that were not measured are None."""
    for at, epoch in enumerate(history.epoch.tolist()):
        row: dict[str, float | int | None] = {"epoch": epoch}
        for name, values in history.fields.items():
            if name == "position":
                row |= dict(zip("xy", values[at].tolist(), strict=False))
            else:
                row[name] = float(values[at]) if history.measured[name][at] else None
        yield row


def _as_json(history: "History") -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, values in history.fields.items():
        known = history.measured[name].tolist()
        columns[name] = [value if is_known else None for value, is_known in zip(values.tolist(), known, strict=True)]
    named = {"run_id": history.run_id, "label": history.label, "seed": history.seed}
    return {**named, "epoch": history.epoch.tolist(), **columns, "total_points": history.total_points}


def _print_tables(histories: Iterable["History"]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    out = console()
    for history in histories:
        title = as_text(f"{history.label}, seed {history.seed}, {history.run_id}", "table.title")
        table = Table(box=SIMPLE, title=title, title_justify="left")
        rows = list(_rows(history))
        for name in rows[0] if rows else ("epoch",):
            table.add_column(name, justify="right")
        for row in rows:
            epoch, *values = row.values()
            table.add_row(str(epoch), *map(written, values))
        out.print(table)
