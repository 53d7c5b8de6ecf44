"""Table of losses: one row per optimizer, with the curve of its median run."""

from itertools import islice
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table

from service.cli.commands.conventions import as_text, written
from service.cli.commands.names import in_words
from service.cli.commands.sparkline import evenly, sparkline

if TYPE_CHECKING:
    from service.client import Ravine
    from service.client.answers import Job, Run

# One page of runs and one thinned history per optimizer, because --watch fetches them once per second.
MAX_RUNS, MAX_ROWS, MAX_POINTS = 500, 12, 60


def losses_table(ravine: "Ravine", job: "Job") -> Table:
    """Make a table of the last recorded losses per optimizer, in the order of the losses of their median runs."""
    entries = [entry["label"] for entry in job["spec"]["optimizers"]]
    found = {label: _best_runs(ravine, job, label) for label in entries[:MAX_ROWS]}
    medians = {label: _middle(runs) for label, runs in found.items()}
    curves = {label: _curve(ravine, run, job["spec"]["epochs"]) for label, run in medians.items()}
    heights = [loss for curve in curves.values() for loss in curve if loss == loss]
    table = Table(box=SIMPLE, title=_title(job, entries, found), title_justify="left")
    table.add_column("optimizer")
    for heading in ("runs", "diverged", "best loss", "median loss"):
        table.add_column(heading, justify="right")
    table.add_column("median run by epoch")
    names = in_words(ravine, entries)
    sign = -1 if job["spec"]["optimizers"][0].get("maximize") else 1
    for label in sorted(found, key=lambda label: _order(medians[label], sign)):
        runs = found[label]
        table.add_row(
            as_text(names[label]),
            f"{len(runs)}{'+' if len(runs) == MAX_RUNS else ''}",
            str(sum(run["status"] == "diverged" for run in runs)),
            written(runs[0]["final_loss"] if runs else None),
            written(medians[label]["final_loss"] if medians[label] else None),  # type: ignore[index]
            sparkline(curves[label], min(heights, default=0.0), max(heights, default=1.0)),
        )
    return table


def _title(job: "Job", entries: list[str], found: dict[str, list["Run"]]) -> str:
    title = f"Loss after {job['spec']['epochs']:,} epochs" if job["status"] == "completed" else "Loss so far"
    if len(entries) > MAX_ROWS:
        title += f", the first {MAX_ROWS} of {len(entries)} optimizers"
    if any(len(runs) == MAX_RUNS for runs in found.values()):
        title += f"; only the best {MAX_RUNS} runs of each"
    return title


def _best_runs(ravine: "Ravine", job: "Job", label: str) -> list["Run"]:
    return list(islice(ravine.runs(job["id"], sort="final_loss", label=label), MAX_RUNS))


def _middle(runs: list["Run"]) -> "Run | None":
    """Give the run with the (lower) median loss; runs are sorted by loss, those without a loss last."""
    known = [run for run in runs if run["final_loss"] is not None]
    return known[(len(known) - 1) // 2] if known else None


def _curve(ravine: "Ravine", run: "Run | None", epochs: int) -> list[float]:
    if run is None:
        return []
    history = ravine.history(run["id"], fields=["loss"], max_points=MAX_POINTS)
    return evenly(history.epoch.tolist(), history["loss"].tolist(), epochs)


def _order(run: "Run | None", sign: int) -> tuple[bool, float]:
    loss = run["final_loss"] if run else None
    return (loss is None or loss != loss, 0.0 if loss is None or loss != loss else sign * loss)
