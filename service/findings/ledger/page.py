"""The page docs/lessons.md: Markdown with pictures, from the responses of GET /v1/lessons/{id}."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from service.findings.ledger.figures import svg
from service.findings.lessons import TEXTS

_INTRODUCTION = """# Statements of teaching texts, tested

Five texts on SGD and momentum make many statements about how fast they are and how they behave:

{texts}

None of the texts gives a year. Each section below is one lesson: a statement (quoted by its meaning), its source, the
jobs that test it, and a verdict. The code in `service/findings/lessons/` computes every verdict from the recorded
histories. The criterion is fixed before the jobs are run.

| verdict | meaning |
|---|---|
| `holds` | The statement holds in every reading, or in each of its parts. |
| `holds if …` | It holds in the readings named. |
| `inconclusive` | No reading holds, and at least one is undecided: the interval is too wide for yes or no. |
| `fails` | No reading holds, or one of its parts is refuted. |

Intervals are over seeds; fewer than six seeds give none, and no claim rests on them. Settings that are chosen by their
results are chosen on one half of the seeds and judged on the other. A problem without noise has one exact result for
each start; starts are instances and are counted, not averaged into an interval.

`ravine lessons --write docs/lessons.md` runs all lessons and writes this page. The jobs of this edition trained for
{seconds} s ({jobs} jobs, torch {torch}, Ravine {version}). To repeat one lesson, run
`ravine lessons --only parabola-sgd` or send `POST /v1/lessons/parabola-sgd/jobs`. To repeat one job, post its preset:
`POST /v1/jobs {{"preset": "parabola-sgd"}}`.
"""

_WORDS = {True: "yes", False: "no", None: "undecided"}


def write_page(lessons: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the page and its pictures in images/lessons; delete the pictures of the previous page."""
    pictures = path.parent / "images" / "lessons"
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("*.svg"):
        old.unlink()
    for lesson in lessons:
        for name, figure in _pictures(lesson):
            (pictures / name).write_text(svg(figure), encoding="utf-8")
    path.write_text("\n".join(_lines(lessons)) + "\n", encoding="utf-8")


def verdicts_on(page: str) -> dict[str, str]:
    """Read the verdicts from the table at the top of a page."""
    return dict(re.findall(r"^\| \[([a-z0-9-]+)\]\(#[a-z0-9-]+\) \| (.*) \|$", page, re.MULTILINE))


def _lines(lessons: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    jobs = [job for lesson in lessons for job in lesson["jobs"]]
    receipt = next(job["receipt"] for job in jobs if job["receipt"])
    yield _INTRODUCTION.format(
        texts="\n".join(f"- {cited}" for letter, cited in TEXTS.items() if letter != "ours"),
        seconds=f"{sum(job['seconds'] or 0 for job in jobs):.0f}",
        jobs=len(jobs),
        torch=receipt["torch"],
        version=receipt["version"],
    )
    yield "| lesson | verdict |"
    yield "|---|---|"
    for lesson in lessons:
        yield f"| [{lesson['id']}](#{lesson['id']}) | {lesson['verdict']} |"
    for lesson in lessons:
        yield from _section(lesson)


def _section(lesson: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n## {lesson['id']}\n"
    yield f"**{lesson['statement']}**\n"
    yield f"Source: {'; '.join(TEXTS[letter] for letter in lesson['texts'])}.\n"
    yield f"Criterion: {lesson['criterion']}\n"
    if lesson["fairness"]:
        yield f"Why this criterion: {lesson['fairness']}\n"
    yield f"Verdict: **{lesson['verdict']}**\n"
    if len(lesson["readings"]) > 1:
        for reading, holds in lesson["readings"].items():
            yield f"- {_WORDS[holds]}: {reading}"
        yield ""
    for name, figure in _pictures(lesson):
        yield f"![{figure['title']}](images/lessons/{name})\n"
    yield from _table(lesson["quantities"])
    yield ""
    presets = ", ".join(f"`{preset['name']}`" for preset in lesson["presets"])
    yield f"Presets: {presets}. Receipts: {', '.join(_receipt(job) for job in lesson['jobs'])}."


def _table(quantities: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield "| quantity | value | interval | stated in the text |"
    yield "|---|---|---|---|"
    for one in quantities:
        ends = "" if one["low"] is None or one["high"] is None else f"{_number(one['low'])} to {_number(one['high'])}"
        interval = f"{ends} ({one['interval']})" if ends else ""
        stated = "" if one["said"] is None else f"{_number(one['said'])} ± {_number(one['tolerance'])}"
        yield f"| {_cell(one['name'])} | {_number(one['value'])} | {interval} | {stated} |"


def _cell(text: str) -> str:
    """Escape the bars of a text for a cell of a Markdown table."""
    return text.replace("|", "\\|")


def _receipt(job: Mapping[str, Any]) -> str:
    receipt = job["receipt"] or {}
    return f"{str(receipt.get('spec_digest'))[:12]} ({receipt.get('dtype')}, {job['seconds'] or 0:.1f} s)"


def _pictures(lesson: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, figure in enumerate(lesson["figures"]):
        yield f"{lesson['id']}{f'-{number + 1}' if number else ''}.svg", figure


def _number(value: float | str | None) -> str:
    """Format a number; values that are not finite arrive as words."""
    if value is None:
        return "not measured"
    number = float(value)
    if number != number:
        return "not a number"
    return ("∞" if number > 0 else "−∞") if abs(number) == float("inf") else f"{number:.6g}".replace("-", "−")
