"""`ravine history`: the recorded epochs of a run, or of all runs of a job."""

import csv
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.commands.asking import AsJson, console, print_json, service, written

if TYPE_CHECKING:
    from service.client import History, Ravine


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def history(
    run_or_job: Annotated[str, typer.Argument(metavar="RUN|JOB", help="Id of a run, or of a job for all its runs.")],
    form: Annotated[
        Format, typer.Option("--format", help="For people, for a spreadsheet, for a script.")
    ] = Format.TABLE,
    fields: Annotated[str | None, typer.Option(help="Names, comma-separated; by default all there are.")] = None,
    labels: Annotated[str | None, typer.Option(help="Of a job only these labels, comma-separated.")] = None,
    from_epoch: Annotated[int | None, typer.Option(help="First epoch.")] = None,
    to_epoch: Annotated[int | None, typer.Option(help="Last epoch.")] = None,
    max_points: Annotated[int | None, typer.Option(help="Thin each history to about this many rows.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the history of a run, or of all runs of a job."""
    query = {"fields": fields, "from_epoch": from_epoch, "to_epoch": to_epoch, "max_points": max_points}
    with service() as ravine:
        histories = _histories(ravine, run_or_job, labels, query)
        if as_json or form is Format.JSON:
            print_json([_as_json(one) for one in histories])
        elif form is Format.CSV:
            _write_csv(histories)
        else:
            _print_tables(histories)


def _histories(ravine: "Ravine", run_or_job: str, labels: str | None, query: dict[str, Any]) -> Iterable["History"]:
    """Ask for a run first, and for a job where there is no such run: an id does not tell which it is."""
    from service.client.errors import NotFound

    try:
        return [ravine.history(run_or_job, **query)]
    except NotFound:
        try:
            ravine.job(run_or_job)
        except NotFound as error:
            error.detail = f"there is no run and no job {run_or_job!r}"
            raise
    return ravine.metrics(run_or_job, labels=labels, **query)


def _rows(history: "History") -> Iterator[dict[str, float | int | None]]:
    """Give a row per epoch; a position is x and y, and what was not measured is None."""
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


def _write_csv(histories: Iterable["History"]) -> None:
    """Write RFC 4180, with nan, inf and -inf, and nothing where nothing was measured."""
    writer = csv.writer(sys.stdout)
    is_first = True
    for history in histories:
        for row in _rows(history):
            if is_first:
                writer.writerow(["run_id", "label", "seed", *row])
                is_first = False
            values = ("" if value is None else repr(value) for value in row.values())
            writer.writerow([history.run_id, history.label, history.seed, *values])


def _print_tables(histories: Iterable["History"]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    out = console()
    for history in histories:
        table = Table(box=SIMPLE, title=f"{history.label}, seed {history.seed}, {history.run_id}", title_justify="left")
        rows = list(_rows(history))
        for name in rows[0] if rows else ("epoch",):
            table.add_column(name, justify="right")
        for row in rows:
            epoch, *values = row.values()
            table.add_row(str(epoch), *map(written, values))
        out.print(table)
