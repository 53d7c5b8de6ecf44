"""`ravine compare`: the comparison of a job: verdict, table with simultaneous intervals, chosen settings, warnings."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.commands.conventions import (
    JOB_FAILED,
    WRONG_USE,
    AsJson,
    as_text,
    console,
    give_up,
    print_json,
    service,
    written,
)
from service.cli.commands.names import in_words
from service.cli.commands.watching import watch_job, why_ended

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from service.client import Ravine
    from service.client.answers import Comparison


# Problems that need no further field; any other word is a named surface, or a formula.
PROBLEMS = ("flipnet", "digits", "playground")


def compare(
    asked: Annotated[
        list[str],
        typer.Argument(
            metavar="ID | PROBLEM OPTIMIZER…",
            help="Id of a job. Or a problem (flipnet, digits, playground, a named surface, a formula in x and y) "
            "and the optimizers to compare on it, each searched over its default space.",
        ),
    ],
    baseline: Annotated[
        str | None, typer.Option(help="Label with which the others are compared; by default the first.")
    ] = None,
    target: Annotated[
        float | None, typer.Option(help="Loss to reach; by default that of the spec, else one that favours no label.")
    ] = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            help="Quantity by which labels are compared, such as test_loss; by default that of the spec, else of the "
            "problem."
        ),
    ] = None,
    tuned: Annotated[
        bool | None,
        typer.Option(
            "--tuned/--every-setting",
            help="Choose one setting of each label by half of the seeds and judge it by the others, or compare every "
            "setting; by default tuned where a label has several settings.",
            show_default=False,
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="Settings tried of each optimizer of a new comparison; by default 32.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds of a new comparison; by default 20.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of a new comparison; by default those of the problem.")
    ] = None,
    decide: Annotated[
        bool, typer.Option("--decide", help="Train seeds of a new comparison until every label has a verdict.")
    ] = False,
    margin: Annotated[
        float | None, typer.Option(help="With --decide, the relative difference that counts as equal; by default 0.05.")
    ] = None,
    max_seeds: Annotated[int | None, typer.Option(help="With --decide, the most seeds; by default 500.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare optimizers on a problem, or those of a job: the verdict, a table and warnings.

    ravine compare flipnet sgd momentum adam
    """
    question = {"search": trials and {"trials": trials}, "seeds": seeds and {"count": seeds}, "epochs": epochs}
    wanted: dict[str, Any] = {
        name: value for name, value in {"margin": margin, "max_seeds": max_seeds}.items() if value is not None
    }
    if wanted and not decide:
        give_up("--margin and --max-seeds need --decide", WRONG_USE)
    changes: dict[str, Any] = {name: value for name, value in question.items() if value is not None}
    changes |= {"decide": wanted} if decide else {}
    with service() as ravine:
        job_id = asked[0]
        if len(asked) > 1:
            job_id = _answered(ravine, {"problem": _problem(asked[0]), "optimizers": asked[1:], **changes})
        elif changes:
            options = "--trials, --seeds, --epochs and --decide"
            give_up(f"{options} are for a new comparison, and the job has its own", WRONG_USE)
        found = ravine.comparison(job_id, baseline=baseline, target=target, criterion=criterion, tuned=tuned)
        names = {} if as_json else in_words(ravine, _labels(found))
    if as_json:
        print_json(found)
        return
    out = console()
    print_verdict(out, found)
    out.print(_table(found, names))
    if found["decision"]:
        if found["decision"]["status"] == "undecided":
            more = 2 * found["decision"]["max_seeds"]
            out.print(
                as_text(f"More seeds may decide: ravine continue {job_id} --max-seeds {more} --watch"), soft_wrap=True
            )
    elif found["seeds_needed"]:
        out.print(as_text(_needed(found, found["seeds_needed"], names)), soft_wrap=True)
    for line in _chosen(found, names):
        out.print(as_text(line), soft_wrap=True)
    print_warnings(out, found)


def _problem(word: str) -> dict[str, Any]:
    """Give the problem that a word stands for."""
    if word in PROBLEMS:
        return {"kind": word}
    return {"kind": "surface", "name" if word.isidentifier() and len(word) > 1 else "expression": word}


def _answered(ravine: "Ravine", spec: dict[str, Any]) -> str:
    """Submit a job and watch it until it has completed; progress goes to standard error."""
    job = ravine.submit(spec)
    try:
        job = watch_job(ravine, job, stderr=True)
    except KeyboardInterrupt:
        typer.echo(f"The job continues: ravine compare {job['id']}", err=True)
        raise
    if job["status"] != "completed":
        give_up(why_ended(job), JOB_FAILED)
    return job["id"]


def print_verdict(out: "Console", found: "Comparison") -> None:
    """Print the verdict of the service, the only sentence that claims something."""
    out.print(as_text(found["verdict"], "bold"), soft_wrap=True)


def _needed(found: "Comparison", num_judging: int, names: dict[str, str]) -> str:
    """Say how many more seeds would tell the best label from the others."""
    # With tuning, every second seed judges.
    num = num_judging * (2 if found["tuned"] else 1)
    best = names[found["ranks"][0]["label"]]
    return f"About {num:,} more seeds would show {best} to be better than each other, if the present differences hold."


def print_warnings(out: "Console", found: "Comparison") -> None:
    """Print the warnings, one on a line."""
    for caution in found["warnings"]:
        out.print(as_text(f"! {caution['sentence']}", "yellow"), soft_wrap=True)


def ranks(found: "Comparison") -> dict[str, str]:
    """Give the interval of each label's rank, as 2 or 1–3; the best mean first."""
    return {
        one["label"]: str(one["low"]) if one["low"] == one["high"] else f"{one['low']}–{one['high']}"
        for one in found["ranks"]
    }


def _table(found: "Comparison", names: dict[str, str]) -> "Table":
    from rich.box import SIMPLE
    from rich.table import Table

    name, target = found["criterion"]["name"], found["target"]["loss"]
    title = f"{found['name']}: {name}, {_plural(found['replicates'], 'seed')}"
    if found["starts"] > 1:
        title += f", {found['starts']} starts each"
    title += ", so far" if found["partial"] else ""
    versus = "ratio" if found["criterion"]["scale"] == "log" else "difference"
    headings = ["rank", f"mean {name}", f"{versus} to {names[found['baseline']]}", "seeds"]
    if target is not None:
        headings += [f"reached {written(target)}", "expected epochs"]
    table = Table(box=SIMPLE, title=as_text(title, "table.title"), title_justify="left", caption_justify="left")
    if any(pair["low"] is not None for pair in found["pairs"]):
        table.caption = f"All ranks and {versus}s hold at once with {100 * found['confidence']:g} % confidence."
    table.add_column("optimizer")
    for heading in [*headings, "diverged"]:
        table.add_column(as_text(heading, "table.header"), justify="right")
    place, means = ranks(found), {one["label"]: one["value"] for one in found["ranks"]}
    order = list(place)
    rows = [(_name(found, label, one), one) for label in found["labels"] for one in label["settings"]]
    for label, setting in sorted(rows, key=lambda row: order.index(row[0]) if row[0] in place else len(order)):
        cells = [place.get(label, "–"), written(means.get(label))]
        cells += [_versus(setting, versus), str(found["replicates"])]
        if target is not None:
            share, epochs = setting["share_reached"], setting["expected_epochs"]
            cells += ["–" if share is None else f"{share * setting['runs']:.0f} of {setting['runs']}", written(epochs)]
        table.add_row(as_text(names[label]), *cells, f"{setting['diverged']} of {setting['runs']}")
    return table


def _labels(found: "Comparison") -> list[str]:
    """List the labels of entries, of settings and of chosen settings."""
    labels = [found["baseline"], *(one["label"] for one in found["ranks"])]
    for label in found["labels"]:
        labels += [label["label"], *(one["label"] for one in label["settings"])]
        labels += [label["chosen"]["setting"]] if label["chosen"] is not None else []
    return labels


def _name(found: "Comparison", label: dict[str, Any], setting: dict[str, Any]) -> str:
    """Give the label by which ranks and pairs name a setting."""
    return str(label["label"] if found["tuned"] else setting["label"])


def _versus(setting: dict[str, Any], versus: str) -> str:
    """Write the ratio or the difference to the baseline with its simultaneous interval."""
    against = setting["against_baseline"]
    if setting["is_baseline"]:
        return "baseline"
    if against is None:
        return "–"
    low, high = ("ratio_low", "ratio_high") if versus == "ratio" else ("low", "high")
    if against[low] is None or against[high] is None:
        return written(against[versus])
    return f"{written(against[versus])} ({written(against[low])} to {written(against[high])})"


def _chosen(found: "Comparison", names: dict[str, str]) -> list[str]:
    """List the chosen setting of each label with the line of Python that makes it."""
    if not found["tuned"]:
        return []
    lines = [f"Chosen by {_plural(found['choosing_seeds'], 'seed')}:"]
    for label in found["labels"]:
        if (chosen := label["chosen"]) is not None:
            lines.append(f"  {names[chosen['setting']]}, of {_plural(label['num_settings'], 'setting')}")
            lines += [f"    {chosen['code']}"] if chosen["code"] else []
    return lines


def _plural(num: int, noun: str) -> str:
    return f"{num:,} {noun}" if num == 1 else f"{num:,} {noun}s"
