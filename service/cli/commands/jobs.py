"""`ravine jobs`, `show`, `cancel`, `delete`: list, show, cancel and delete jobs."""

from itertools import islice
from typing import Annotated

import typer

from service.cli.commands.conventions import AsJson, JobId, as_text, console, print_json, service


def list_jobs(
    status: Annotated[str | None, typer.Option(help="Only jobs with this status.")] = None,
    name: Annotated[str | None, typer.Option(help="Only jobs whose name contains this.")] = None,
    problem: Annotated[str | None, typer.Option(help="Only jobs on this kind of problem.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Largest number of jobs.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    from rich.box import SIMPLE
    from rich.table import Table

    with service() as ravine:
        jobs = list(islice(ravine.jobs(status=status, name=name, problem=problem), limit))
    if as_json:
        print_json(jobs)
        return
    if not jobs:
        typer.echo("No jobs found. `ravine submit` creates one.")
        return
    table = Table(box=SIMPLE)
    # Ids are copied, so they are never cut.
    table.add_column("id", no_wrap=True, min_width=36)
    table.add_column("status")
    table.add_column("done", justify="right")
    table.add_column("runs", justify="right")
    table.add_column("diverged", justify="right")
    table.add_column("name", overflow="fold")
    for job in jobs:
        progress = job["progress"]
        table.add_row(
            job["id"],
            job["status"],
            f"{progress['fraction']:.0%}",
            f"{progress['runs_total']:,}",
            f"{progress['runs_diverged']:,}",
            as_text(job["name"]),
        )
    console().print(table)


def show(job_id: JobId, as_json: AsJson = False) -> None:
    """Show a job: its status, its progress, and the losses of its optimizers."""
    from service.cli.commands.losses import losses_table

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


def delete(job_id: JobId, as_json: AsJson = False) -> None:
    """Delete a job that has ended, and all its rows."""
    with service() as ravine:
        ravine.delete(job_id)
    if as_json:
        print_json({"id": job_id, "deleted": True})
    else:
        typer.echo(f"{job_id} is deleted.")
