"""`ravine submit`: create a job, and optionally watch it."""

import sys
from typing import Annotated, Any

import typer

from service.cli.commands.conventions import JOB_FAILED, AsJson, give_up, print_json, service
from service.cli.commands.watching import watch_job, why_ended


def submit(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="JSON file, - for standard input, or a preset.")],
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show progress and losses until the job ends.")] = False,
    name: Annotated[str | None, typer.Option(help="Name of the job; replaces that of the spec.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Number of epochs; replaces that of the spec.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the size of the job; submit nothing.")] = False,
    idempotency_key: Annotated[str | None, typer.Option(help="The same key and spec give the same job.")] = None,
    as_json: AsJson = False,
) -> None:
    """Submit a job; with --watch the exit code is 0 only if the job completes."""
    changes = {key: value for key, value in {"name": name, "epochs": epochs}.items() if value is not None}
    with service() as ravine:
        given = _spec(spec)
        if dry_run:
            _show_price(ravine.dry_run(given, **changes), as_json=as_json)
            return
        job = ravine.submit(given, idempotency_key=idempotency_key, **changes)
        if watch:
            job = watch_job(ravine, job, stderr=as_json)
    if as_json:
        print_json(job)
    elif not watch:
        typer.echo(job["id"])
    if watch and job["status"] != "completed":
        give_up(why_ended(job), JOB_FAILED)


def _spec(written: str) -> Any:
    """Read standard input for ``-``; a file or a pipe of any name is a path; everything else is a preset."""
    from pathlib import Path

    from service.client.specs import parse_spec

    if written == "-":
        return parse_spec(sys.stdin.buffer.read(), "standard input")
    path = Path(written)
    return path if path.exists() and not path.is_dir() else written


def _show_price(price: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(price)
        return
    most = price.get("at_most")
    sizes = {"seeds": "seeds"} if most else {}
    sizes |= {
        "runs_total": "runs",
        "epochs_total": "epochs",
        "updates_total": "updates",
        "rows_total": "rows of metrics",
    }
    written = [
        f"{price[name]:,}" + (f" to {most[name]:,}" if most else "") + f" {noun}" for name, noun in sizes.items()
    ]
    typer.echo(", ".join(written))
