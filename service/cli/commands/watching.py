"""Progress and losses of a job on the terminal until it ends."""

from typing import TYPE_CHECKING

from service.cli.commands.conventions import as_text, console
from service.spec.visible import visible

if TYPE_CHECKING:
    from service.client import Ravine
    from service.client.answers import Job


def watch_job(ravine: "Ravine", job: "Job", *, stderr: bool = False) -> "Job":
    """Watch a job until it ends, on standard output or standard error."""
    from rich.console import Group
    from rich.live import Live

    from service.cli.commands.losses import losses_table
    from service.client.bar import new_bar, state_of

    shown = console(stderr=stderr)
    shown.print(as_text(f"{job['name']}  {job['id']}"), soft_wrap=True)
    if not shown.is_terminal:
        job = ravine.wait(job["id"], progress=lambda now: shown.print(_line(now)))
    else:
        bar = new_bar(shown)
        task = bar.add_task("queued", total=None)
        with Live(bar, console=shown, refresh_per_second=8) as live:
            for version in ravine.versions(job["id"]):
                job = version
                bar.update(task, **state_of(job))
                live.update(Group(bar, losses_table(ravine, job)))
            live.update(bar)
    shown.print(losses_table(ravine, job))
    return job


def _line(job: "Job") -> str:
    from service.client.decisions import standing

    progress = job["progress"]
    state = standing(job)
    if state is not None:
        return visible(f"{job['status']}: {progress['epochs_done']:,} epochs, {state}")
    return f"{job['status']}: {progress['epochs_done']:,} of {progress['epochs_total']:,} epochs"


def why_ended(job: "Job") -> str:
    """Give the reason for which a job has ended without completing."""
    error = job["error"]
    return (
        f"the job has {job['status']}: {error['detail'] or error['reason']}" if error else f"the job is {job['status']}"
    )
