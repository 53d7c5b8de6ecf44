"""`ravine demo`: which of four optimizers trains a small network best? Asked over HTTP, as any script would ask."""

import math
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.local.console import Console as PartsConsole
from service.local.preconditions import StackError
from service.local.stack import LocalStack

SPEC = {
    "name": "Four optimizers on FlipNet",
    "problem": {"kind": "flipnet"},
    "optimizers": [
        {"label": "sgd", "kind": "sgd", "lr": 0.05},
        {"label": "momentum", "kind": "momentum", "lr": 0.05, "momentum": 0.9},
        {"label": "nesterov", "kind": "nesterov", "lr": 0.05, "momentum": 0.9},
        {"label": "adam", "kind": "adam", "lr": 0.01},
    ],
    "seeds": {"first": 0, "count": 20},
    "epochs": 30,
}

_POLL_SECONDS = 0.1
_ENDED = {"completed", "failed", "cancelled"}
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 100  # Where there is no terminal to fill.

Json = dict[str, Any]


def run_demo(*, workers: int, stay: bool, prepare: Callable[[LocalStack], None]) -> None:
    """Start a stack in a temporary folder, compare, print who won, and leave nothing behind.

    ``prepare`` gets the stack before it starts, to connect signals to it. Raises StackError when the stack or the job
    cannot do its work.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    with tempfile.TemporaryDirectory(prefix="ravine-demo-") as folder:
        stack = LocalStack(Path(folder), workers=workers, listener=PartsConsole())
        prepare(stack)
        console.print("Starting database, broker, workers and API in a temporary folder…")
        with stack, _client(stack.url) as client:
            job = _post(client, SPEC)
            console.print(f"POST {stack.url}/v1/jobs → {job['id']}")
            job = _follow(client, job, stack, console)
            if job["status"] != "completed":
                reason = job["error"]["detail"] if job["error"] else "somebody asked for it"
                raise StackError(f"the job has {job['status']}: {reason}")
            console.print(_table(client, job))
            console.print(f"Histories of all runs: {stack.url}/v1/jobs/{job['id']}/metrics", soft_wrap=True)
            if stay:
                console.print("The API stays up until Ctrl-C.")
                stack.wait()
            else:
                console.print("They end with this command; `ravine demo --stay` keeps them up, `ravine up` for good.")


@contextmanager
def _client(url: str) -> Iterator[httpx.Client]:
    try:
        with httpx.Client(base_url=url, trust_env=False) as client:
            yield client
    except httpx.HTTPError as error:
        raise StackError(f"the API did not answer as it should: {error}") from error


def _post(client: httpx.Client, spec: Json) -> Json:
    job: Json = client.post("/v1/jobs", json=spec).raise_for_status().json()
    return job


def _follow(client: httpx.Client, job: Json, stack: LocalStack, console: Console) -> Json:
    """Poll the job until it has ended, and show how far it is."""
    bar = Progress(
        TextColumn("{task.description:>10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(job["status"], total=job["progress"]["epochs_total"])
        for version in _versions(client, job["id"], stack):
            job, done, total = version, version["progress"]["epochs_done"], version["progress"]["epochs_total"]
            bar.update(task, description=job["status"], completed=done)
            if not console.is_terminal:
                console.print(f"{job['status']}: {done} of {total} epochs")
    return job


def _versions(client: httpx.Client, job_id: str, stack: LocalStack) -> Iterator[Json]:
    """Give the job each time that it has changed, the last time when it has ended."""
    etag = ""
    while True:
        answer = client.get(f"/v1/jobs/{job_id}", headers={"If-None-Match": etag} if etag else {})
        # 304: nothing has changed since the version that carried this tag, and no body was sent.
        if answer.status_code != httpx.codes.NOT_MODIFIED:
            job = answer.raise_for_status().json()
            etag = answer.headers["ETag"]
            yield job
            if job["status"] in _ENDED:
                return
        if stack.wait(_POLL_SECONDS):
            raise StackError("Stopped before the job had ended.")


def _table(client: httpx.Client, job: Json) -> Table:
    """One row per optimizer, the best one first."""
    runs, losses = defaultdict(list), defaultdict(list)
    for run in _items(client, f"/v1/jobs/{job['id']}/runs", "items"):
        runs[run["label"]].append(run)
    for history in _items(client, f"/v1/jobs/{job['id']}/metrics?fields=loss", "runs"):
        losses[history["label"]].append(map(_loss, history["loss"]))
    # A run that diverged has a shorter history; its optimizer's curve ends where the first one ends.
    curves = {label: [statistics.median(epoch) for epoch in zip(*of, strict=False)] for label, of in losses.items()}
    scale = [loss for curve in curves.values() for loss in curve]

    seeds = job["progress"]["runs_total"] // len(runs)
    table = Table(
        title=f"Loss of FlipNet after {job['spec']['epochs']} epochs, {seeds} seeds each",
        title_justify="left",
        box=SIMPLE,
    )
    table.add_column("optimizer")
    for heading in ("median", "middle half", "best", "diverged"):
        table.add_column(heading, justify="right")
    table.add_column("median by epoch")
    for label in sorted(runs, key=lambda label: _quartiles(runs[label])[1]):
        low, median, high = _quartiles(runs[label])
        best = min(_loss(run["best_loss"]) for run in runs[label])
        diverged = sum(run["status"] == "diverged" for run in runs[label])
        # Every second epoch, so that a row fits into 80 columns.
        curve = _bars(curves[label][::2], min(scale), max(scale))
        table.add_row(label, f"{median:.4f}", f"{low:.4f} – {high:.4f}", f"{best:.4f}", str(diverged), curve)
    return table


def _items(client: httpx.Client, path: str, key: str) -> Iterator[Json]:
    """All items of a list, page after page."""
    cursor = None
    while True:
        page = client.get(path, params={"cursor": cursor} if cursor else {}).raise_for_status().json()
        yield from page[key]
        if (cursor := page["next"]) is None:
            return


def _loss(value: float | str | None) -> float:
    """A loss as the API writes it, where what is not finite is a word. NaN counts as the worst of all."""
    number = float("nan") if value is None else float(value)
    return number if number == number else float("inf")


def _quartiles(runs: list[Json]) -> list[float]:
    finals = [_loss(run["final_loss"]) if run["status"] == "completed" else float("inf") for run in runs]
    # Between a number and infinity there is no half way: NaN stands for infinity there.
    return [_loss(value) for value in statistics.quantiles(finals, n=4, method="inclusive")]


def _log(loss: float) -> float:
    return math.log10(min(max(loss, 1e-12), 1e12))


def _bars(losses: list[float], low: float, high: float) -> str:
    """A curve as text: one bar per loss, its height between ``low`` and ``high`` on a logarithmic scale."""
    full = (_log(high) - _log(low)) or 1.0
    return "".join(_BARS[round((_log(loss) - _log(low)) / full * (len(_BARS) - 1))] for loss in losses)
