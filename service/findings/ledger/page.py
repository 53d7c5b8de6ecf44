"""What does the page of the lessons say? Markdown with pictures, from what GET /v1/lessons/{id} answers."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from service.findings.ledger.figures import svg
from service.findings.lessons import TEXTS

_INTRODUCTION = """# What teaching texts say about momentum, and what was measured

Five texts stand at the origin of Ravine:

{texts}

They state many things as facts. Each is an entry here: the statement by its meaning, the jobs that put it to the test,
and a verdict. A verdict is computed from what the jobs recorded, by the code in `service/findings/lessons/`; nobody
has written one by hand. `holds if` names the readings of the statement under which it holds.

This page is written by `ravine lessons --write docs/lessons.md`, which runs everything anew ({seconds} s of training
in {jobs} jobs here). One lesson is repeated by `ravine lessons --only parabola-sgd`, or by
`POST /v1/lessons/parabola-sgd/jobs`; a single job by its preset, `POST /v1/jobs {{"preset": "parabola-sgd"}}`.
Trained with torch {torch}, Ravine {version}.
"""


def write_page(lessons: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the page, and its pictures into images/lessons beside it; pictures of earlier pages are removed."""
    pictures = path.parent / "images" / "lessons"
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("*.svg"):
        old.unlink()
    for lesson in lessons:
        for name, figure in _pictures(lesson):
            (pictures / name).write_text(svg(figure), encoding="utf-8")
    path.write_text("\n".join(_lines(lessons)) + "\n", encoding="utf-8")


def verdicts_on(page: str) -> dict[str, str]:
    """Read the verdicts back from the table at the beginning of a page."""
    return dict(re.findall(r"^\| \[([a-z0-9-]+)\]\(#[a-z0-9-]+\) \| (.*) \|$", page, re.MULTILINE))


def _lines(lessons: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    jobs = [job for lesson in lessons for job in lesson["jobs"]]
    receipt = next(job["receipt"] for job in jobs if job["receipt"])
    yield _INTRODUCTION.format(
        texts="\n".join(f"- {letter}: {name}" for letter, name in TEXTS.items() if letter != "ours"),
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
    yield f"**{lesson['statement']}** ({', '.join(lesson['texts'])})\n"
    yield f"Judged by: {lesson['criterion']}\n"
    yield f"Verdict: **{lesson['verdict']}**\n"
    if len(lesson["readings"]) > 1:
        for reading, holds in lesson["readings"].items():
            yield f"- {'yes' if holds else 'no'}: {reading}"
        yield ""
    for name, figure in _pictures(lesson):
        yield f"![{figure['title']}](images/lessons/{name})\n"
    yield from _table(lesson["quantities"])
    yield ""
    presets = ", ".join(f"`{preset['name']}`" for preset in lesson["presets"])
    yield f"Presets: {presets}. Receipts: {', '.join(_receipt(job) for job in lesson['jobs'])}."


def _table(quantities: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield "| measured | value | interval | the text |"
    yield "|---|---|---|---|"
    for one in quantities:
        ends = "" if one["low"] is None or one["high"] is None else f"{_number(one['low'])} to {_number(one['high'])}"
        interval = f"{ends} ({one['interval']})" if ends else ""
        told = "" if one["said"] is None else f"{_number(one['said'])} ± {_number(one['tolerance'])}"
        yield f"| {one['name']} | {_number(one['value'])} | {interval} | {told} |"


def _receipt(job: Mapping[str, Any]) -> str:
    receipt = job["receipt"] or {}
    return f"{str(receipt.get('spec_digest'))[:12]} ({receipt.get('dtype')}, {job['seconds'] or 0:.1f} s)"


def _pictures(lesson: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, figure in enumerate(lesson["figures"]):
        yield f"{lesson['id']}{f'-{number + 1}' if number else ''}.svg", figure


def _number(value: float | str | None) -> str:
    """Write a number for people; what is not finite comes as a word."""
    if value is None:
        return "not measured"
    number = float(value)
    if number != number:
        return "not a number"
    return ("∞" if number > 0 else "−∞") if abs(number) == float("inf") else f"{number:.6g}".replace("-", "−")
