"""`ravine plot`: a plot of a job as a file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.commands.conventions import WRONG_USE, AsJson, JobId, give_up, print_json, service
from service.cli.commands.output import write_file
from service.findings.plots.kinds import DESCRIPTION, Kind


def plot(
    job_id: JobId,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, with the suffix .png or .svg.")],
    kind: Annotated[Kind, typer.Option(help=DESCRIPTION)] = Kind.LOSS,
    dark: Annotated[bool, typer.Option("--dark", help="Dark background.")] = False,
    width: Annotated[int | None, typer.Option(help="Width in pixels.")] = None,
    height: Annotated[int | None, typer.Option(help="Height in pixels.")] = None,
    labels: Annotated[
        list[str] | None, typer.Option(help="Only these labels, comma-separated; may be repeated.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Another parameter of the plot.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Save a plot of a job as PNG or SVG."""
    form = output.suffix.lower().removeprefix(".")
    if form not in {"png", "svg"}:
        give_up(f"{output}: the name of the file must end with .png or .svg", WRONG_USE)
    others = dict(one.split("=", 1) for one in option or [] if "=" in one)
    if len(others) < len(option or []):
        give_up("--set requires NAME=VALUE, each name once", WRONG_USE)
    given: dict[str, Any] = {
        "kind": kind,
        "dark": dark or None,
        "width": width,
        "height": height,
        "labels": labels or None,
    }
    if twice := sorted(others.keys() & {*given, "format"}):
        give_up(
            f"--set {twice[0]}: use the option of this name; the format follows from the suffix of the file", WRONG_USE
        )
    with service() as ravine:
        picture = ravine.plot(job_id, format=form, **given, **others)
    write_file([picture], output)
    if as_json:
        print_json({"file": str(output), "bytes": len(picture)})
    else:
        typer.echo(f"Wrote {output}.")
