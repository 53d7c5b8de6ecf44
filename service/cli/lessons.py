"""`ravine lessons`: which statements hold? Runs the lessons through the service, and may write their page."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.cli.local.console import Console as PartsConsole
from service.cli.local.preconditions import StackError
from service.cli.local.stack import LocalStack
from service.findings.ledger.page import write_page
from service.findings.lessons import LESSONS

# Judging reads hundreds of thousands of rows on the first look after the jobs have completed.
_TIMEOUT_SECONDS = 120.0
_POLL_SECONDS = 0.5
_WIDTH = 100  # Where there is no terminal to fill.

Json = dict[str, Any]


def run_lessons(
    *, only: Sequence[str], write: Path | None, workers: int, prepare: Callable[[LocalStack], None]
) -> None:
    """Run lessons against RAVINE_URL, or a stack of its own in a temporary folder; print verdicts, maybe write a page.

    Raises StackError when a name is unknown, or the service cannot do its work.
    """
    unknown = [one for one in only if one not in LESSONS]
    if unknown:
        raise StackError(f"There is no lesson {unknown[0]!r}; there are {', '.join(LESSONS)}.")
    if write is not None and only:
        raise StackError("The page shows all lessons: leave out --only, or --write.")
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    with _service(workers, prepare, console) as client:
        try:
            found = judge_all(client, list(only) or list(LESSONS), console)
        except httpx.HTTPError as error:
            raise StackError(f"the API did not answer as it should: {error}") from error
    console.print(_table(found))
    if write is not None:
        write_page(found, write)
        console.print(f"Wrote {write}.")


@contextmanager
def _service(workers: int, prepare: Callable[[LocalStack], None], console: Console) -> Iterator[httpx.Client]:
    url = os.environ.get("RAVINE_URL")
    if url:
        with httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS) as client:
            yield client
        return
    with tempfile.TemporaryDirectory(prefix="ravine-lessons-") as folder:
        stack = LocalStack(Path(folder), workers=workers, listener=PartsConsole())
        prepare(stack)
        console.print("Starting database, broker, workers and API in a temporary folder…")
        # No proxy that the environment names stands between this machine and itself.
        with stack, httpx.Client(base_url=stack.url, timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            yield client


def judge_all(client: httpx.Client, names: Sequence[str], console: Console) -> list[Json]:
    """Submit lessons, wait until each is judged, and give them as GET /v1/lessons/{id} answers them.

    Raises StackError when the jobs of one stop without an end that could be judged.
    """
    for name in names:
        client.post(f"/v1/lessons/{name}/jobs").raise_for_status()
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
        task, told = bar.add_task("judged", total=len(names)), 0
        while True:
            states = {one["id"]: one["state"] for one in client.get("/v1/lessons").raise_for_status().json()["items"]}
            stopped = [name for name in names if states[name] in ("stopped", "not run")]
            if stopped:
                raise StackError(
                    f"The jobs of {', '.join(stopped)} have stopped; GET /v1/lessons/{stopped[0]} names them."
                )
            judged = sum(states[name] == "judged" for name in names)
            bar.update(task, completed=judged)
            if judged > told and not console.is_terminal:
                told = judged
                console.print(f"{judged} of {len(names)} lessons are judged")
            if judged == len(names):
                break
            time.sleep(_POLL_SECONDS)
    return [client.get(f"/v1/lessons/{name}").raise_for_status().json() for name in names]


def _table(found: Sequence[Json]) -> Table:
    table = Table(box=SIMPLE)
    table.add_column("lesson", no_wrap=True)
    table.add_column("seconds", justify="right")
    table.add_column("verdict")
    for lesson in found:
        table.add_row(lesson["id"], f"{training_seconds(lesson):.1f}", lesson["verdict"])
    return table


def training_seconds(lesson: Json) -> float:
    """Add up what the jobs of a lesson took, each from its first worker's start to its end."""
    return sum(job["seconds"] or 0.0 for job in lesson["jobs"])
