"""A progress bar for ``Ravine.wait``, on a terminal or in a notebook."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from service.client.answers import Job
from service.client.decisions import standing


@contextmanager
def bar(console: Console | None = None) -> Iterator[Callable[[Job], None]]:
    """Show a progress bar: ``with bar() as progress: ravine.wait(job_id, progress=progress)``."""
    with new_bar(console) as shown:
        task = shown.add_task("queued", total=None)
        yield lambda job: shown.update(task, **state_of(job))


def new_bar(console: Console | None = None) -> Progress:
    """Make a progress bar of rich."""
    return Progress(
        TextColumn("{task.description:>10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def state_of(job: Job) -> dict[str, Any]:
    """Give the state of the bar for a job. A completed job fills it, although diverged runs train fewer epochs."""
    progress = job["progress"]
    total = progress["epochs_total"]
    done = progress["epochs_done"] if job["status"] != "completed" else total
    state = standing(job)
    if state is not None and job["status"] != "completed":
        # How many epochs there will be is not known: the bar fills up to the most.
        total = round(total / progress["runs_total"] * progress["runs_max"])
    return {"description": job["status"] if state is None else state, "completed": done, "total": total}
