"""The `ravine` command: what can a person do from a terminal?

Commands import what they need when they run, so that `ravine --help` and a mistyped option answer at once.
"""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from service.cli import commands, keys
from service.cli.commands.conventions import EXIT_CODES

if TYPE_CHECKING:
    from service.cli.local.stack import LocalStack

app = typer.Typer(
    name="ravine",
    help="Which optimizer, at which settings, wins on this problem, by how much, and how sure are we?",
    no_args_is_help=True,
    epilog=EXIT_CODES,
    pretty_exceptions_enable=False,
)

commands.register(app)
app.add_typer(keys.app, name="keys")

DataFolder = Annotated[Path, typer.Option(help="Folder of the database and of the logs; made if it is not there.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that train, besides the one for small jobs.")]

_STOP_WAIT_SECONDS = 15.0  # Twice five for the two stages of a stop, and a reserve.


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def up(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    data_dir: DataFolder = Path("data"),
    workers: Workers = 2,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show all that the parts print.")] = False,
) -> None:
    """Run everything on this machine: database, broker, workers and API, until Ctrl-C."""
    from service.cli.local.console import Console
    from service.cli.local.preconditions import StackError
    from service.cli.local.stack import LocalStack

    stack = LocalStack(data_dir, host=host, port=port, workers=workers, listener=Console(verbose=verbose))
    _stop_on_signals(stack)
    try:
        with stack:
            typer.secho(f"Ravine is ready at {stack.url}", fg="green", bold=True)
            typer.echo(_EXAMPLE.format(url=stack.url))
            typer.echo(f"Data and logs are in {data_dir.resolve()}. Ctrl-C stops everything.")
            stack.wait()
            typer.echo("Stopping…")
    except StackError as error:
        _give_up(error)


@app.command()
def down(data_dir: DataFolder = Path("data")) -> None:
    """Stop the `ravine up` that works on this folder, and wait until it has."""
    import time

    from service.cli.local.preconditions import DataDir

    folder = DataDir(data_dir)
    owner = folder.owner()
    if owner is None:
        typer.echo(f"No Ravine works on {folder.path}.")
        return
    os.kill(owner, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_WAIT_SECONDS
    while folder.owner() == owner:
        if time.monotonic() > deadline:
            _give_up(f"Process {owner} is still there after {_STOP_WAIT_SECONDS:g} s.")
        time.sleep(0.05)
    typer.echo(f"Stopped process {owner}.")


@app.command()
def demo(
    workers: Workers = 2,
    stay: Annotated[bool, typer.Option("--stay", help="Keep the API up after the table, until Ctrl-C.")] = False,
) -> None:
    """Compare four optimizers on a small network, in a temporary folder, and show who wins."""
    from service.cli.demo import run_demo
    from service.cli.local.preconditions import StackError

    try:
        run_demo(workers=workers, stay=stay, prepare=_stop_on_signals)
    except StackError as error:
        _give_up(error)


@app.command()
def lessons(
    only: Annotated[list[str] | None, typer.Option(help="Only this lesson; may be given several times.")] = None,
    write: Annotated[Path | None, typer.Option(help="Write the page with all verdicts: docs/lessons.md.")] = None,
    workers: Workers = 2,
) -> None:
    """Run the lessons, at RAVINE_URL or in a temporary folder, and show which statements of the texts hold."""
    from service.cli.lessons import run_lessons
    from service.cli.local.preconditions import StackError

    try:
        run_lessons(only=only or [], write=write, workers=workers, prepare=_stop_on_signals)
    except StackError as error:
        _give_up(error)


@app.command()
def migrate() -> None:
    """Bring the tables of the database that RAVINE_DATABASE_URL names to this version."""
    from service.cli.local.preconditions import StackError
    from service.cli.local.stack import bring_up_to_date
    from service.settings import get_settings

    try:
        bring_up_to_date(get_settings().database_url)
    except StackError as error:
        _give_up(error)
    typer.echo("The database is up to date.")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; any but this machine's own needs an API key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Run the API alone, on the database and the broker that RAVINE_DATABASE_URL and RAVINE_BROKER_URL name."""
    from contextlib import closing

    from service.cli.local.preconditions import StackError, listen, require_key
    from service.cli.local.serve import serve

    try:
        with closing(listen(host, port)) as listener:
            require_key(listener.getsockname()[0])
            serve(listener)
    except StackError as error:
        _give_up(error)


@app.command()
def worker(
    queues: Annotated[str, typer.Option(help="Which jobs: interactive (small ones), batch (sweeps), or both.")] = (
        "batch,interactive"
    ),
    processes: Annotated[int, typer.Option(min=1, help="Processes that train.")] = 1,
    name: Annotated[str, typer.Option(help="Name among the workers of this host.")] = "worker",
) -> None:
    """Train the jobs that the broker at RAVINE_BROKER_URL announces, until SIGTERM."""
    from service.cli.local.commands import worker_command
    from service.cli.local.preconditions import StackError, require_torch

    try:
        require_torch()
    except StackError as error:
        _give_up(error)
    sys.stdout.flush()
    argv = worker_command(name, queues.split(","), processes)
    os.execv(argv[0], argv)  # noqa: S606  The worker becomes this process: signals reach it, its exit code is ours.


@app.command()
def doctor(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of a `ravine up`; without it, what the settings name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects instead of lines.")] = False,
) -> None:
    """Look at database, migrations, clock, broker, workers and disk; exit code 1 if something is wrong."""
    import json
    from dataclasses import asdict

    from pydantic import ValidationError

    from service.cli.doctor import examine
    from service.cli.local.preconditions import DataDir
    from service.settings import Settings

    try:
        settings = Settings()
    except ValidationError as error:
        _give_up(f"a setting cannot be used: {error}")
    if data_dir is not None:
        folder = DataDir(data_dir)
        folder.find_scratch()
        urls = {"database_url": folder.database_url, "broker_url": f"redis+socket://{folder.broker_socket}"}
        settings = settings.model_copy(update=urls)
    findings = examine(settings)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            way_out = "" if finding.is_well else f": {finding.way_out}"
            mark = typer.style("✓", fg="green") if finding.is_well else typer.style("✗", fg="red")
            typer.echo(f"{mark} {finding.check:10} {finding.found}{way_out}")
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


_EXAMPLE = """
  Compare two optimizers:
    curl -s {url}/v1/jobs -H 'Content-Type: application/json' -d '{{
      "problem": {{"kind": "flipnet"}}, "epochs": 30, "seeds": [42],
      "optimizers": [{{"kind": "sgd", "lr": 0.05}}, {{"kind": "momentum", "lr": 0.05}}]}}'
  and read the histories at {url}/v1/jobs/<id>/metrics
"""


def _stop_on_signals(stack: "LocalStack") -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What the caller has switched off, as nohup does, stays off.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stack.ask_to_stop())


def _give_up(reason: object) -> NoReturn:
    typer.secho(f"ravine: {reason}", fg="red", err=True)
    raise typer.Exit(1)
