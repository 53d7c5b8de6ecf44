"""The answer of a comparison as parts of a report: verdict, tables, chosen settings, warnings."""

import math
from collections.abc import Iterator
from typing import Any

from service.findings.comparison.words import number, plural, spoken
from service.findings.reports.document import Block, Code, Intervals, Listing, Paragraph, Table

DASH = "–"


def answer(found: dict[str, Any]) -> Iterator[Block]:
    """Write the verdict, and what it does not say."""
    yield Paragraph(found["verdict"], strong=True)
    if found["partial"]:
        yield Paragraph(
            f"This report is partial: the job is {found['status']}. It shows the rows stored so far and claims nothing."
        )
    if found["seeds_needed"]:
        seeds = found["seeds_needed"] * (2 if found["tuned"] else 1)
        best = spoken(found["ranks"][0]["label"])
        yield Paragraph(
            f"About {plural(seeds, 'more seed', 'more seeds')} would show {best} to be better than each other label, "
            "if the present differences hold."
        )


def table(found: dict[str, Any]) -> Table | None:
    """Make a row per compared label, best mean first; None where no run has rows."""
    settings = _settings(found)
    if not found["ranks"]:
        return None
    name, versus = found["criterion"]["name"].replace("_", " "), _versus(found)
    has_target = found["target"]["loss"] is not None
    columns = ["label", "rank", f"mean {name}", f"{versus} to {spoken(found['baseline'])}"]
    if has_target:
        columns += [f"reached {number(found['target']['loss'])}", "expected epochs"]
    rows = []
    for rank in found["ranks"]:
        setting = settings[rank["label"]]
        cells = [spoken(rank["label"]), _range(rank), _written(rank["value"]), _against(setting, versus)]
        if has_target:
            cells += [_reached(setting), _written(setting["expected_epochs"])]
        rows.append((*cells, f"{setting['diverged']} of {setting['runs']}"))
    caption = f"Labels by {name}, best mean first; {plural(found['replicates'], 'seed')}"
    caption += f"; intervals at {100 * found['confidence']:g} % confidence, all at once." if _claims(found) else "."
    return Table(caption, (*columns, "diverged"), tuple(rows))


def chosen(found: dict[str, Any]) -> Iterator[Block]:
    """List the setting that stands for each label, with its line of PyTorch."""
    if not found["tuned"]:
        return
    rows = []
    for label in found["labels"]:
        if label["chosen"] is not None:
            good = (label["tuning"] or {}).get("good_share")
            share = DASH if good is None else f"{100 * good:.0f} %"
            rows.append(
                (spoken(label["label"]), spoken(label["chosen"]["setting"]), f"{label['num_settings']:,}", share)
            )
    caption = "Chosen settings. Good settings have a loss above the least one within 10 % of the best."
    yield Table(caption, ("label", "chosen setting", "settings", "good"), tuple(rows), has_words=True)
    lines = [label["chosen"]["code"] for label in found["labels"] if label["chosen"] and label["chosen"]["code"]]
    if lines:
        yield Code("\n".join(lines), "python")


def warnings(found: dict[str, Any]) -> Block:
    """List the warnings."""
    if not found["warnings"]:
        return Paragraph("The comparison has no warnings.")
    return Listing(tuple(caution["sentence"] for caution in found["warnings"]))


def intervals(found: dict[str, Any]) -> Intervals | None:
    """Give the median of the criterion of each label with its own interval; None without a finite one."""
    settings, name = _settings(found), found["criterion"]["name"]
    rows: list[tuple[str, float, float, float]] = []
    for rank in found["ranks"]:
        summary = settings[rank["label"]][name]
        median = summary["median"] if summary else {"value": math.nan, "low": math.nan, "high": math.nan}
        value, low, high = (_float(median[part]) for part in ("value", "low", "high"))
        rows.append((spoken(rank["label"]), value, low, high))
    finite = [value for _, *of in rows for value in of if math.isfinite(value)]
    if not any(math.isfinite(row[1]) for row in rows):
        return None
    caption = f"Median {name.replace('_', ' ')} of each label with its own 95 % interval, sorted by mean."
    return Intervals(caption, name.replace("_", " "), tuple(rows), is_log=min(finite) > 0)


def _settings(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the setting that stands for each label, by the name that ranks and pairs use."""
    return {
        (label["label"] if found["tuned"] else setting["label"]): setting
        for label in found["labels"]
        for setting in label["settings"]
    }


def _claims(found: dict[str, Any]) -> bool:
    return any(math.isfinite(_float(pair["low"])) for pair in found["pairs"])


def _versus(found: dict[str, Any]) -> str:
    return "ratio" if found["criterion"]["scale"] == "log" else "difference"


def _range(rank: dict[str, Any]) -> str:
    return str(rank["low"]) if rank["low"] == rank["high"] else f"{rank['low']}–{rank['high']}"


def _against(setting: dict[str, Any], versus: str) -> str:
    """Write the ratio or the difference to the baseline with its simultaneous interval."""
    if setting["is_baseline"]:
        return "baseline"
    against = setting["against_baseline"]
    if against is None or against[versus] is None:
        return DASH
    names = ("ratio_low", "ratio_high") if versus == "ratio" else ("low", "high")
    low, high = (_float(against[name]) for name in names)
    if math.isnan(low) or math.isnan(high):
        return _written(against[versus])
    return f"{_written(against[versus])} ({_written(low)} to {_written(high)})"


def _reached(setting: dict[str, Any]) -> str:
    share = setting["share_reached"]
    return DASH if share is None else f"{share * setting['runs']:.0f} of {setting['runs']}"


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _written(value: float | None) -> str:
    return DASH if math.isnan(_float(value)) else number(_float(value))
