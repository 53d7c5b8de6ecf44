"""`ravine report` and `ravine bundle`: a job as one file to read, and as one file to train again."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from service.cli.commands.conventions import WRONG_USE, JobId, give_up, service
from service.cli.commands.output import print_bytes, write_file


class Format(StrEnum):
    """Format of a report, and suffix of its file."""

    HTML = "html"
    MD = "md"
    TEX = "tex"


Output = Annotated[Path, typer.Option("--output", "-o", help="File to write; - for the output.")]
_OUT = Path("-")


def report(
    job_id: JobId,
    output: Output,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Format of the report; by default that of the file's suffix, else html."),
    ] = None,
) -> None:
    """Save the report of a job: question, protocol, answer, tables, figures, receipt and references in one file."""
    if form is None:
        suffix = output.suffix.lower().removeprefix(".")
        if output != _OUT and suffix and suffix not in {*Format}:
            give_up(f"{output}: the name of the file must end with .html, .md or .tex, or add --format", WRONG_USE)
        form = Format(suffix) if suffix in {*Format} else Format.HTML
    with service() as ravine:
        written = ravine.report(job_id, format=form)
    if output == _OUT:
        print_bytes([written])
    else:
        write_file([written], output)
        typer.echo(f"Wrote {output}.")


def bundle(job_id: JobId, output: Output) -> None:
    """Save the bundle of an ended job: spec, receipt, histories and comparison in one zip, for `ravine verify`."""
    if output == _OUT and sys.stdout.isatty():
        give_up("a bundle is binary and cannot be printed to a terminal: add --output FILE", WRONG_USE)
    with service() as ravine:
        pieces = ravine.bundle(job_id)
        if output == _OUT:
            print_bytes(pieces)
        else:
            write_file(pieces, output)
            typer.echo(f"Wrote {output}.")
