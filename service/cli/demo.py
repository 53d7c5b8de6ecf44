"""`ravine demo`: which of four optimizers trains a small network best? Asked over HTTP, as any script would ask."""

import math
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from service.cli.commands.sparkline import sparkline
from service.cli.local.console import Console as PartsConsole
from service.cli.local.preconditions import StackError
from service.cli.local.stack import LocalStack
from service.client import Ravine, RavineError
from service.client.answers import ENDED, Job, Run
from service.client.bar import bar

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
_WIDTH = 100  # Where there is no terminal to fill.


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
        with stack, Ravine(stack.url) as ravine:
            try:
                job = ravine.submit(SPEC)
                console.print(f"POST {stack.url}/v1/jobs → {job['id']}")
                job = _follow(ravine, job, stack, console)
                if job["status"] != "completed":
                    reason = job["error"]["detail"] if job["error"] else "somebody asked for it"
                    raise StackError(f"the job has {job['status']}: {reason}")
                console.print(_table(ravine, job))
            except RavineError as error:
                raise StackError(f"the API did not answer as it should: {error}") from error
            console.print(f"Histories of all runs: {stack.url}/v1/jobs/{job['id']}/metrics", soft_wrap=True)
            if stay:
                console.print("The API stays up until Ctrl-C.")
                stack.wait()
            else:
                console.print("They end with this command; `ravine demo --stay` keeps them up, `ravine up` for good.")


def _follow(ravine: Ravine, job: Job, stack: LocalStack, console: Console) -> Job:
    """Poll the job until it has ended, and show how far it is."""
    with bar(console) if console.is_terminal else nullcontext(lambda job: console.print(_line(job))) as show:
        show(job)
        while job["status"] not in ENDED:
            if stack.wait(_POLL_SECONDS):
                raise StackError("Stopped before the job had ended.")
            before, job = job, ravine.job(job["id"])
            if job != before:
                show(job)
    return job


def _line(job: Job) -> str:
    return f"{job['status']}: {job['progress']['epochs_done']} of {job['progress']['epochs_total']} epochs"


def _table(ravine: Ravine, job: Job) -> Table:
    """One row per optimizer, the best one first."""
    runs, losses = defaultdict(list), defaultdict(list)
    for run in ravine.runs(job["id"]):
        runs[run["label"]].append(run)
    for history in ravine.metrics(job["id"], fields=["loss"]):
        losses[history.label].append(history["loss"].tolist())
    # A run that diverged has a shorter history; its optimizer's curve ends where the first one ends.
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
    for heading in ("median", "middle half", "best", "diverged"):
        table.add_column(heading, justify="right")
    table.add_column("median by epoch")
    for label in sorted(runs, key=lambda label: _quartiles(runs[label])[1]):
        low, median, high = _quartiles(runs[label])
        best = min(_worst(run["best_loss"]) for run in runs[label])
        diverged = sum(run["status"] == "diverged" for run in runs[label])
        # Every second epoch, so that a row fits into 80 columns.
        curve = sparkline(curves[label][::2], min(scale), max(scale))
        table.add_row(label, f"{median:.4f}", f"{low:.4f} – {high:.4f}", f"{best:.4f}", str(diverged), curve)
    return table


def _worst(loss: float | None) -> float:
    """Count what is no number as the worst of all."""
    return math.inf if loss is None or math.isnan(loss) else loss


def _quartiles(runs: Iterable[Run]) -> list[float]:
    finals = [_worst(run["final_loss"]) if run["status"] == "completed" else math.inf for run in runs]
    # Between a number and infinity there is no half way: NaN stands for infinity there.
    return [_worst(value) for value in statistics.quantiles(finals, n=4, method="inclusive")]
