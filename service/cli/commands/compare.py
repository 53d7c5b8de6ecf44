"""`ravine compare`: the comparison of a job, with intervals, tests and warnings."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.commands.conventions import AsJson, JobId, console, print_json, service, written

if TYPE_CHECKING:
    from rich.table import Table


def compare(
    job_id: JobId,
    baseline: Annotated[str | None, typer.Option(help="Label of the baseline; by default the first.")] = None,
    target: Annotated[
        float | None, typer.Option(help="Target loss; by default that of the spec, or of the baseline.")
    ] = None,
    tuned: Annotated[
        bool, typer.Option("--tuned", help="Compare each label at its best setting, chosen on half of the pairs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the optimizers of a job: a table, warnings, and the verdict."""
    with service() as ravine:
        found = ravine.comparison(job_id, baseline=baseline, target=target, tuned=tuned or None)
    if as_json:
        print_json(found)
        return
    out = console()
    out.print(_table(found))
    if found["tuned"]:
        out.print(_tuned(found["tuned"]))
    for caution in found["warnings"]:
        out.print(f"! {caution['sentence']}", style="yellow", soft_wrap=True, markup=False)
    out.print(found["verdict"], style="bold", soft_wrap=True, markup=False)


def _table(found: dict[str, Any]) -> "Table":
    target = found["target"]["loss"]
    title = f"{found['name']}: {found['pairs']} pairs of seed and start"
    if found["partial"]:
        title += ", so far"
    table = _new_table(title, ["rank", "runs", "median final loss"])
    headings = ["p (Holm)"] if target is None else [f"epochs to {written(target)}", "times sooner", "p (Holm)"]
    for heading in headings:
        table.add_column(heading, justify="right")
    settings = [setting for label in found["labels"] for setting in label["settings"]]
    for setting in sorted(settings, key=lambda one: (one["rank"] is None, one["rank"])):
        loss, against = setting["final_loss"], setting["against_baseline"]
        row = [
            setting["label"],
            str(setting["rank"] or "–"),
            f"{setting['runs']}" + (f" ({setting['diverged']} diverged)" if setting["diverged"] else ""),
            _interval(loss and loss["median"]),
        ]
        if target is not None:
            epochs = setting["epochs_to_target"]
            speed_up = against and against["speed_up"]
            sooner = "baseline" if setting["is_baseline"] else _interval(speed_up and speed_up["ratio"])
            row += [_interval(epochs and epochs["median"]), sooner]
        table.add_row(*row, written(against and against["wilcoxon_p_holm"]))
    return table


def _tuned(tuned: dict[str, Any]) -> "Table":
    title = f"Tuned on {tuned['chosen_on_pairs']} pairs, judged on {tuned['judged_on_pairs']} others"
    table = _new_table(title, ["settings", "chosen", "median final loss"])
    for label in tuned["labels"]:
        loss = label["final_loss"]
        table.add_row(label["label"], str(label["num_settings"]), label["chosen"], _interval(loss and loss["median"]))
    return table


def _new_table(title: str, headings: list[str]) -> "Table":
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, title=title, title_justify="left")
    table.add_column("optimizer")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _interval(estimate: dict[str, Any] | None) -> str:
    """Format a number with its interval: 0.139 (0.131 to 0.147)."""
    if estimate is None:
        return "–"
    value, low, high = (
        None if estimate[part] is None else f"{float(estimate[part]):.3g}" for part in ("value", "low", "high")
    )
    return f"{value} ({low} to {high})" if low and high else str(value)
