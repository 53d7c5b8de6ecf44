"""`ravine plot`: a picture of a job, as a file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.commands.asking import WRONG_USE, AsJson, JobId, give_up, print_json, service


class Kind(StrEnum):
    """What is drawn."""

    LOSS = "loss"
    PATHS = "paths"
    HEATMAP = "heatmap"
    COMPARISON = "comparison"


def plot(
    job_id: JobId,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write: its name ends with .png or .svg.")],
    kind: Annotated[
        Kind, typer.Option(help="Curves, paths in the plane, a heat map over a grid, or intervals.")
    ] = Kind.LOSS,
    dark: Annotated[bool, typer.Option("--dark", help="On a dark ground.")] = False,
    width: Annotated[int | None, typer.Option(help="Width in pixels.")] = None,
    height: Annotated[int | None, typer.Option(help="Height in pixels.")] = None,
    labels: Annotated[str | None, typer.Option(help="Only these labels, comma-separated.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other parameter of the picture.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw a picture of a job into a file."""
    form = output.suffix.lower().removeprefix(".")
    if form not in {"png", "svg"}:
        give_up(f"{output}: a picture is a .png or an .svg", WRONG_USE)
    others = dict(one.split("=", 1) for one in option or [] if "=" in one)
    if len(others) < len(option or []):
        give_up("--set takes NAME=VALUE, and each name once", WRONG_USE)
    given: dict[str, Any] = {"kind": kind, "dark": dark or None, "width": width, "height": height, "labels": labels}
    if twice := sorted(others.keys() & {*given, "format"}):
        give_up(f"--set {twice[0]}: there is an option for this; the format follows from the file's name", WRONG_USE)
    with service() as ravine:
        picture = ravine.plot(job_id, format=form, **given, **others)
    try:
        output.write_bytes(picture)
    except OSError as error:
        give_up(f"{output} cannot be written: {error.strerror}", WRONG_USE)
    if as_json:
        print_json({"file": str(output), "bytes": len(picture)})
    else:
        typer.echo(f"Wrote {output}.")
