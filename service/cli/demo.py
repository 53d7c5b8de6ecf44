"""`ravine demo`: compares four optimizers on a small network over HTTP."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import nullcontext

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from service.cli.commands.compare import print_verdict, print_warnings, ranks
from service.cli.commands.names import in_words
from service.cli.commands.sparkline import sparkline
from service.cli.local.console import Console as PartsConsole
from service.cli.local.preconditions import StackError
from service.cli.local.stack import LocalStack
from service.client import Ravine, RavineError
from service.client.answers import ENDED, Job, Run
from service.client.bar import bar
from service.spec.left_behind import remove_left, temporary_folder

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
_WIDTH = 100  # Width without a terminal.


def run_demo(*, workers: int, stay: bool, prepare: Callable[[LocalStack], None]) -> None:
    """Run the comparison in a temporary stack and print its verdict and a table; the folder is deleted afterwards.

    ``prepare`` receives the stack before its start, to connect signals. Raises StackError if stack or job fails.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    remove_left("ravine-demo-")
    with temporary_folder("ravine-demo-") as folder:
        stack = LocalStack(folder, workers=workers, listener=PartsConsole())
        prepare(stack)
        console.print("Starting database, broker, workers and API in a temporary folder…")
        with stack, Ravine(stack.url) as ravine:
            try:
                job = ravine.submit(SPEC)
                console.print(f"POST {stack.url}/v1/jobs → {job['id']}")
                job = _follow(ravine, job, stack, console)
                if job["status"] != "completed":
                    reason = job["error"]["detail"] if job["error"] else "cancelled on request"
                    raise StackError(f"the job has {job['status']}: {reason}")
                found = ravine.comparison(job["id"])
                print_verdict(console, found)
                console.print(_table(ravine, job, ranks(found)))
                print_warnings(console, found)
            except RavineError as error:
                raise StackError(f"unexpected response of the API: {error}") from error
            console.print(f"Histories of all runs: {stack.url}/v1/jobs/{job['id']}/metrics", soft_wrap=True)
            if stay:
                console.print("The API runs until Ctrl-C.")
                stack.wait()
            else:
                console.print(
                    "The service stops now; `ravine demo --stay` keeps it running, `ravine up` keeps the data."
                )


def _follow(ravine: Ravine, job: Job, stack: LocalStack, console: Console) -> Job:
    """Poll the job until it has ended, and show its progress."""
    with bar(console) if console.is_terminal else nullcontext(lambda job: console.print(_line(job))) as show:
        show(job)
        while job["status"] not in ENDED:
            if stack.wait(_POLL_SECONDS):
                raise StackError("stopped before the job ended")
            before, job = job, ravine.job(job["id"])
            if job != before:
                show(job)
    return job


def _line(job: Job) -> str:
    return f"{job['status']}: {job['progress']['epochs_done']} of {job['progress']['epochs_total']} epochs"


def _table(ravine: Ravine, job: Job, rank: dict[str, str]) -> Table:
    """Return a table with one row per optimizer, in the order of the comparison."""
    runs, losses = defaultdict(list), defaultdict(list)
    for run in ravine.runs(job["id"]):
        runs[run["label"]].append(run)
    for history in ravine.metrics(job["id"], fields=["loss"]):
        losses[history.label].append(history["loss"].tolist())
    # A diverged run has a shorter history; the curve of its optimizer ends with the shortest history.
    curves = {
        label: [statistics.median(map(_worst, epoch)) for epoch in zip(*of, strict=False)]
        for label, of in losses.items()
    }
    scale = [loss for curve in curves.values() for loss in curve]

    seeds = job["progress"]["runs_total"] // len(runs)
    table = Table(
        title=f"Loss of FlipNet after {job['spec']['epochs']} epochs, {seeds} seeds each",
        title_justify="left",
        box=SIMPLE,
    )
    table.add_column("optimizer")
    for heading in ("rank", "median", "quartiles", "diverged"):
        table.add_column(heading, justify="right")
    table.add_column("median by epoch")
    names = in_words(ravine, rank)
    for label in rank:
        low, median, high = _quartiles(runs[label])
        diverged = sum(run["status"] == "diverged" for run in runs[label])
        # Every second epoch: a row then fits into 80 columns.
        curve = sparkline(curves[label][::2], min(scale), max(scale))
        table.add_row(names[label], rank[label], f"{median:.4f}", f"{low:.4f} – {high:.4f}", str(diverged), curve)
    return table


def _worst(loss: float | None) -> float:
    """Return infinity for a loss that is missing or NaN."""
    return math.inf if loss is None or math.isnan(loss) else loss


def _quartiles(runs: Iterable[Run]) -> list[float]:
    finals = [_worst(run["final_loss"]) if run["status"] == "completed" else math.inf for run in runs]
    # Interpolation between a number and infinity gives NaN, which counts as infinity.
    return [_worst(value) for value in statistics.quantiles(finals, n=4, method="inclusive")]
