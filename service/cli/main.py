"""The `ravine` command.

Commands import their modules when they run, so that `ravine --help` and errors in options appear at once.
"""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from service.cli import commands, keys, vacuum, verify
from service.cli.commands.conventions import EXIT_CODES, WRONG_USE, give_up
from service.cli.group import Commands

if TYPE_CHECKING:
    from service.cli.local.stack import LocalStack

app = typer.Typer(
    name="ravine",
    cls=Commands,
    help="Compare optimizers with evidence: start the service, submit jobs, read results.",
    invoke_without_command=True,
    epilog=EXIT_CODES,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version, and exit.")] = False,
) -> None:
    if version:
        from service.settings import VERSION

        typer.echo(f"ravine {VERSION}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(WRONG_USE)


commands.register(app)
app.add_typer(keys.app, name="keys")
app.command()(vacuum.vacuum)
app.command()(verify.verify)

DataFolder = Annotated[Path, typer.Option(help="Folder of the database and the logs; created if missing.")]
Workers = Annotated[int, typer.Option(min=1, help="Training processes, in addition to one for small jobs.")]

_STOP_WAIT_SECONDS = 15.0  # The two stages of a shutdown take at most 5 s each.


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def up(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    data_dir: DataFolder = Path("data"),
    workers: Workers = 2,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show all output of the processes.")] = False,
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
    """Stop the `ravine up` of this folder, and wait until it has stopped."""
    import time

    from service.cli.local.preconditions import DataDir

    folder = DataDir(data_dir)
    owner = folder.owner()
    if owner is None:
        typer.echo(f"No Ravine runs on {folder.path}.")
        return
    os.kill(owner, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_WAIT_SECONDS
    while folder.owner() == owner:
        if time.monotonic() > deadline:
            _give_up(f"process {owner} has not stopped after {_STOP_WAIT_SECONDS:g} s; stop it with: kill -9 {owner}")
        time.sleep(0.05)
    typer.echo(f"Stopped process {owner}.")


@app.command()
def demo(
    workers: Workers = 2,
    stay: Annotated[bool, typer.Option("--stay", help="Keep the API running after the table, until Ctrl-C.")] = False,
) -> None:
    """Compare four optimizers on a small network, in a temporary folder, and print the results."""
    from service.cli.demo import run_demo
    from service.cli.local.preconditions import StackError

    try:
        run_demo(workers=workers, stay=stay, prepare=_stop_on_signals)
    except StackError as error:
        _give_up(error)


@app.command()
def lessons(
    only: Annotated[list[str] | None, typer.Option(help="Run this lesson only; repeat the option for several.")] = None,
    write: Annotated[Path | None, typer.Option(help="Write a page with all verdicts, such as docs/lessons.md.")] = None,
    store: Annotated[bool, typer.Option("--store", help="Replace the results that the package contains.")] = False,
    workers: Workers = 2,
) -> None:
    """Run the lessons, at RAVINE_URL or in a temporary folder, and print their verdicts."""
    from service.cli.lessons import run_lessons
    from service.cli.local.preconditions import StackError

    try:
        run_lessons(only=only or [], write=write, stores=store, workers=workers, prepare=_stop_on_signals)
    except StackError as error:
        _give_up(error)


@app.command()
def migrate() -> None:
    """Migrate the tables of the database at RAVINE_DATABASE_URL to this version."""
    from service.cli.local.migration import bring_up_to_date, keeps_free_space
    from service.cli.local.preconditions import StackError
    from service.settings import get_settings

    try:
        bring_up_to_date(get_settings().database_url)
    except StackError as error:
        _give_up(error)
    typer.echo("The database is up to date.")
    if keeps_free_space(get_settings().database_url):
        typer.echo("This file keeps the space of deleted jobs. Stop the service and run `ravine vacuum` once.")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; all but the loopback address need an API key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Run the API alone, with the database at RAVINE_DATABASE_URL and the broker at RAVINE_BROKER_URL."""
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
    queues: Annotated[str, typer.Option(help="Queues to serve: interactive (small jobs), batch (large), or both.")] = (
        "batch,interactive"
    ),
    processes: Annotated[int, typer.Option(min=1, help="Training processes.")] = 1,
    name: Annotated[str, typer.Option(help="Name of this worker, unique on its host.")] = "worker",
) -> None:
    """Run a worker for the broker at RAVINE_BROKER_URL, until SIGTERM."""
    from service.cli.local.commands import BATCH, worker_command
    from service.cli.local.preconditions import StackError, require_torch
    from service.settings import get_settings

    served = [queue.strip() for queue in queues.split(",")]
    if unknown := [queue for queue in served if queue not in BATCH]:
        give_up(f"there is no queue {unknown[0]!r}; --queues accepts {' and '.join(BATCH)}", WRONG_USE)
    get_settings()
    try:
        require_torch()
    except StackError as error:
        _give_up(error)
    sys.stdout.flush()
    argv = worker_command(name, served, processes)
    os.execv(argv[0], argv)  # noqa: S606  exec: the worker receives signals directly, and its exit code is returned.


@app.command()
def doctor(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of a `ravine up`; by default the database and broker of the settings.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects instead of lines.")] = False,
) -> None:
    """Check database, migrations, clock, broker, workers, packages and disk; exit code 1 if a check fails."""
    import json
    from dataclasses import asdict

    from service.cli.doctor import examine
    from service.cli.local.preconditions import DataDir
    from service.settings import get_settings

    findings = examine(get_settings(), None if data_dir is None else DataDir(data_dir))
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
        # Signals that the caller ignores, as nohup does, stay ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stack.ask_to_stop())


def _give_up(reason: object) -> NoReturn:
    typer.secho(f"ravine: {reason}", fg="red", err=True)
    raise typer.Exit(1)
