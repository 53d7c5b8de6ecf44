"""`ravine lessons`: runs the lessons through the service, prints the verdicts and stores them on request."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.cli.commands.conventions import WRONG_USE, give_up, service
from service.cli.local.console import Console as PartsConsole
from service.cli.local.preconditions import StackError
from service.cli.local.stack import LocalStack
from service.client import Ravine, RavineError
from service.findings.ledger.page import write_page
from service.findings.ledger.stored_results import RESULTS, store
from service.findings.lessons import LESSONS
from service.spec.left_behind import remove_left, temporary_folder

# The first request after the end of the jobs judges a lesson: it reads hundreds of thousands of rows.
_TIMEOUT_SECONDS = 120.0
_POLL_SECONDS = 0.5
_WIDTH = 100  # Width without a terminal.

Json = dict[str, Any]


def run_lessons(
    *, only: Sequence[str], write: Path | None, stores: bool, workers: int, prepare: Callable[[LocalStack], None]
) -> None:
    """Run lessons at RAVINE_URL or in a temporary stack, and print the verdicts.

    With ``write`` the page is written, with ``stores`` the results of the package. Wrong use ends the command. Raises
    StackError if the service fails.
    """
    unknown = [one for one in only if one not in LESSONS]
    if unknown:
        give_up(f"no lesson has the name {unknown[0]!r}; the lessons are {', '.join(LESSONS)}", WRONG_USE)
    if write is not None and only:
        give_up("--write needs all lessons: omit --only or --write", WRONG_USE)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    with _service(workers, prepare, console) as ravine:
        found = judge_all(ravine, list(only) or list(LESSONS), console)
    console.print(_table(found))
    if stores:
        store(found)
        console.print(f"Wrote {len(found)} results to {RESULTS}.")
    if write is not None:
        write_page(found, write)
        console.print(f"Wrote {write}.")


@contextmanager
def _service(workers: int, prepare: Callable[[LocalStack], None], console: Console) -> Iterator[Ravine]:
    if os.environ.get("RAVINE_URL"):
        with service(timeout_seconds=_TIMEOUT_SECONDS) as ravine:
            yield ravine
        return
    remove_left("ravine-lessons-")
    with temporary_folder("ravine-lessons-") as folder:
        stack = LocalStack(folder, workers=workers, listener=PartsConsole())
        prepare(stack)
        console.print("Starting database, broker, workers and API in a temporary folder…")
        with stack, Ravine(stack.url, api_key="", timeout_seconds=_TIMEOUT_SECONDS) as ravine:
            try:
                yield ravine
            except RavineError as error:
                raise StackError(f"unexpected response of the API: {error}") from error


def judge_all(ravine: Ravine, names: Sequence[str], console: Console) -> list[Json]:
    """Submit lessons, wait until each is judged, and return the responses of GET /v1/lessons/{id}.

    Raises StackError if the jobs of a lesson end without a result.
    """
    for name in names:
        ravine.run_lesson(name)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("lessons"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task, printed = bar.add_task("judged", total=len(names)), 0
        while True:
            states = {one["id"]: one["state"] for one in ravine.catalogue("lessons")}
            stopped = [name for name in names if states[name] in ("stopped", "not run")]
            if stopped:
                raise StackError(
                    f"jobs of {', '.join(stopped)} failed, were cancelled or deleted; see GET /v1/lessons/{stopped[0]}"
                )
            judged = sum(states[name] == "judged" for name in names)
            bar.update(task, completed=judged)
            if judged > printed and not console.is_terminal:
                printed = judged
                console.print(f"{judged} of {len(names)} lessons judged")
            if judged == len(names):
                break
            time.sleep(_POLL_SECONDS)
    return [ravine.lesson(name) for name in names]


def _table(found: Sequence[Json]) -> Table:
    table = Table(box=SIMPLE)
    table.add_column("lesson", no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("verdict")
    for lesson in found:
        table.add_row(lesson["id"], f"{training_seconds(lesson):.1f}", lesson["verdict"])
    return table


def training_seconds(lesson: Json) -> float:
    """Return the sum of the training times of the jobs of a lesson."""
    return sum(job["seconds"] or 0.0 for job in lesson["jobs"])
