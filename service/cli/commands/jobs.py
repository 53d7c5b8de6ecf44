"""`ravine jobs`, `show`, `cancel`, `continue`, `delete`: list, show, cancel, continue and delete jobs."""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.commands.conventions import JOB_FAILED, AsJson, JobId, as_text, console, give_up, print_json, service
from service.cli.commands.watching import watch_job, why_ended
from service.spec.visible import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from service.client.answers import Job

# Columns that a narrow terminal omits, the first at first; names have at least this width.
_OPTIONAL = ("diverged", "runs", "done")
_NAME_WIDTH = 8


def list_jobs(
    status: Annotated[str | None, typer.Option(help="Only jobs with this status.")] = None,
    name: Annotated[str | None, typer.Option(help="Only jobs whose name contains this.")] = None,
    problem: Annotated[str | None, typer.Option(help="Only jobs on this kind of problem.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Largest number of jobs.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    with service() as ravine:
        jobs = list(islice(ravine.jobs(status=status, name=name, problem=problem), limit))
    if as_json:
        print_json(jobs)
        return
    if not jobs:
        typer.echo("No jobs found. `ravine submit` creates one.")
        return
    out = console()
    out.print(jobs_table(jobs, out))


def jobs_table(jobs: "Sequence[Job]", out: "Console") -> "Table":
    """Return a table that fits into a console: ids and statuses whole, names shortened, other columns if they fit."""
    unlimited = out.options.update(width=1_000)
    for omitted in range(len(_OPTIONAL) + 1):
        table = _table(jobs, _OPTIONAL[omitted:])
        if out.measure(table, options=unlimited).minimum <= out.width:
            break
    return table


def _table(jobs: "Sequence[Job]", optional: Sequence[str]) -> "Table":
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    counts = {
        "done": [f"{job['progress']['fraction']:.0%}" for job in jobs],
        "runs": [f"{job['progress']['runs_total']:,}" for job in jobs],
        "diverged": [f"{job['progress']['runs_diverged']:,}" for job in jobs],
    }
    columns = {name: values for name, values in counts.items() if name in optional}
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    # Ids are copied, so they are never cut.
    table.add_column("id", no_wrap=True, min_width=36)
    table.add_column("status", no_wrap=True, min_width=max(len(job["status"]) for job in jobs))
    for name, values in columns.items():
        table.add_column(name, justify="right", no_wrap=True, min_width=max(map(len, [name, *values])))
    # The only column that may shrink.
    table.add_column("name", min_width=_NAME_WIDTH)
    for job, *values in zip(jobs, *columns.values(), strict=True):
        table.add_row(job["id"], job["status"], *values, Text(visible(job["name"]), no_wrap=True, overflow="ellipsis"))
    return table


def show(job_id: JobId, as_json: AsJson = False) -> None:
    """Show a job: its status, its progress, and the losses of its optimizers."""
    from service.cli.commands.losses import losses_table
    from service.client.decisions import standing

    with service() as ravine:
        job = ravine.job(job_id)
        if as_json:
            print_json(job)
            return
        progress, out = job["progress"], console()
        out.print(as_text(f"{job['name']}  {job['id']}"), soft_wrap=True)
        out.print(
            f"{job['status']}, {progress['epochs_done']:,} of {progress['epochs_total']:,} epochs, "
            f"{progress['runs_ended']:,} of {progress['runs_total']:,} runs ended, "
            f"{progress['runs_diverged']:,} diverged",
            soft_wrap=True,
        )
        if (state := standing(job)) is not None:
            out.print(as_text(f"decision: {state}"), soft_wrap=True)
        if job["error"]:
            out.print(as_text(f"{job['error']['reason']}: {job['error']['detail']}"), soft_wrap=True)
        out.print(losses_table(ravine, job))


def cancel(job_id: JobId, as_json: AsJson = False) -> None:
    """Cancel a job; recorded rows are kept."""
    with service() as ravine:
        job = ravine.cancel(job_id)
    if as_json:
        print_json(job)
    else:
        typer.echo(f"{job['id']} is {job['status']}.")


def continue_job(
    job_id: JobId,
    max_seeds: Annotated[int, typer.Option(help="Most seeds of the job, more than so far.")],
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show progress and losses until the job ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """Continue a job that ended undecided, with more seeds; with --watch the exit code is 0 only if it completes."""
    with service() as ravine:
        job = ravine.continue_job(job_id, max_seeds)
        if watch:
            job = watch_job(ravine, job, stderr=as_json)
    if as_json:
        print_json(job)
    elif not watch:
        typer.echo(f"{job['id']} is {job['status']}.")
    if watch and job["status"] != "completed":
        give_up(why_ended(job), JOB_FAILED)


def delete(job_id: JobId, as_json: AsJson = False) -> None:
    """Delete a job that has ended, and all its rows."""
    with service() as ravine:
        ravine.delete(job_id)
    if as_json:
        print_json({"id": job_id, "deleted": True})
    else:
        typer.echo(f"{job_id} is deleted.")
