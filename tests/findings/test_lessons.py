"""The ledger: lessons are submitted and judged by the histories of their jobs; docs/lessons.md has the verdicts."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.findings.ledger.page import verdicts_on
from service.findings.ledger.stored_results import RESULTS, stored
from service.findings.lessons import LESSONS, TEXTS
from service.findings.lessons.judging import VERDICTS
from service.spec.job import JobSpec
from service.spec.presets import PRESETS
from tests.servers import Stack, wait_for_job
from tests.thorough import THOROUGH, examples

PAGE = Path(__file__).parents[2] / "docs" / "lessons.md"
IDS = [
    "parabola-sgd",
    "parabola-momentum",
    "parabola-velocity",
    "parabola-to-half",
    "window",
    "cancel",
    "beta-zero",
    "ravine-large-lr",
    "ravine-momentum-smooth",
    "ravine-race",
    "noise-smoother",
    "beta-099",
    "beta-small",
    "speedup-3-5",
    "curvature",
    "flipnet-half",
    "flipnet-floor",
    "nesterov-5-10",
    "nesterov-corner",
    "lookahead-form",
    "three-flavours",
    "noise-escapes",
    "momentum-escapes",
    "overshoot-cost",
    "convex-one-minimum",
    "train-and-test",
    "adam-default",
    "adam-sharp",
    "adam-memory",
    "large-batch",
    "cosine",
    "warmup",
    "stale",
    "accumulation",
    "zero-grad",
    "scaling-columns",
    "tables-adam",
    "transformer-adamw",
    "transformer-warmup",
    "transformer-accumulation",
]
# Lessons on digits take minutes, and some others up to a minute each; `make thorough` runs these as well.
LONG = (
    *("nesterov-5-10", "speedup-3-5", "noise-escapes", "curvature"),
    *("scaling-columns", "tables-adam", "transformer-adamw", "transformer-warmup"),
)
CHEAP = [
    name
    for name, lesson in LESSONS.items()
    if all(PRESETS[preset].spec["problem"]["kind"] != "digits" for preset in lesson.presets)
    and (THOROUGH or name not in LONG)
]


def wait_for_verdict(client: httpx.Client, name: str, timeout: float = 60.0, pause: float = 0.05) -> dict[str, Any]:
    deadline = time.monotonic() + timeout
    while True:
        lesson: dict[str, Any] = client.get(f"/v1/lessons/{name}").raise_for_status().json()
        if lesson["state"] not in ("completed", "running"):
            return lesson
        assert time.monotonic() < deadline, f"after {timeout:g} s {name} is {lesson['state']}"
        time.sleep(pause)


def test_every_statement_of_the_texts_is_in_the_ledger() -> None:
    assert sorted(LESSONS) == sorted(IDS)
    for name, lesson in LESSONS.items():
        assert lesson.presets, name
        assert set(lesson.presets) <= set(PRESETS)
        assert set(lesson.texts) <= set("VNLAB") | {"ours"}
        assert lesson.statement.endswith(".")
    posted = {preset for lesson in LESSONS.values() for preset in lesson.presets}
    assert posted == set(PRESETS), "every experiment belongs to a lesson"


def test_the_page_cites_the_source_of_each_statement_and_its_criterion() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for letter, cited in TEXTS.items():
        assert letter == "ours" or f"- {cited}\n" in page
    for name, lesson in LESSONS.items():
        sources = "; ".join(TEXTS[letter] for letter in lesson.texts)
        why = f"Why this criterion: {lesson.fairness}\n\n" if lesson.fairness else ""
        section = (
            f"## {name}\n\n**{lesson.statement}**\n\nSource: {sources}.\n\nCriterion: {lesson.criterion}\n\n"
            f"{why}Verdict: **"
        )
        assert section in page, name


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_the_page_has_the_verdicts_of_this_version(stack: Stack) -> None:
    with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client:
        for name in CHEAP:
            assert client.post(f"/v1/lessons/{name}/jobs").status_code == 202
        found = {name: wait_for_verdict(client, name, timeout=180, pause=0.5)["verdict"] for name in CHEAP}
    on_page = verdicts_on(PAGE.read_text(encoding="utf-8"))
    assert sorted(on_page) == sorted(IDS)
    expected = {name: on_page[name] for name in CHEAP}
    for name in CHEAP:
        if {"flipnet", "data"} & {PRESETS[preset].spec["problem"]["kind"] for preset in LESSONS[name].presets}:
            # In float32 another processor may change the last digit, but nothing else.
            found[name], expected[name] = (re.sub(r"[0-9.]+", "#", of[name]) for of in (found, expected))
    assert found == expected, "write it anew: ravine lessons --write docs/lessons.md"
    assert len(CHEAP) == examples(25, 33)


def test_a_lesson_that_was_not_run_here_shows_the_result_of_the_package_and_its_versions(client: httpx.Client) -> None:
    lesson = client.get("/v1/lessons/train-and-test").json()
    assert (lesson["state"], lesson["jobs"], lesson["judged_at"]) == ("not run", [], None)
    assert lesson["stored"].keys() == {"version", "torch", "computed_at"}
    assert lesson["verdict"].startswith(VERDICTS)
    assert lesson["quantities"]
    assert lesson["figures"]
    assert {path.stem for path in RESULTS.glob("*.json")} <= set(LESSONS)


def leaves(value: Any) -> Iterator[Any]:
    """Keys and values of a nested answer, in order."""
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield key
            yield from leaves(below)
    else:
        yield value


def test_a_lesson_that_is_run_gives_what_the_package_contains(client: httpx.Client) -> None:
    client.post("/v1/lessons/zero-grad/jobs").raise_for_status()
    found = wait_for_verdict(client, "zero-grad")
    result = stored("zero-grad")
    assert result is not None
    again, kept = (list(leaves(of)) for of in ({name: found[name] for name in result["finding"]}, result["finding"]))
    assert len(again) == len(kept), "store it anew: ravine lessons --only zero-grad --store"
    for one, other in zip(again, kept, strict=True):
        # Another processor may round the last digits in another way.
        assert one == (pytest.approx(other, rel=1e-9) if isinstance(other, float) else other)
    assert found["stored"] is None


def test_stored_results_are_of_the_presets_of_this_version() -> None:
    for path in RESULTS.glob("*.json"):
        for preset, digest in json.loads(path.read_text(encoding="utf-8"))["digests"].items():
            spec = JobSpec.model_validate({"name": PRESETS[preset].title, **PRESETS[preset].spec})
            if spec.problem.kind != "data":  # Completed with its dataset when it is posted.
                assert spec.digest() == digest, f"store it anew: ravine lessons --only {path.stem} --store"


def test_a_lesson_is_judged_by_its_jobs_with_numbers(client: httpx.Client) -> None:
    items = {item["id"]: item for item in client.get("/v1/lessons").raise_for_status().json()["items"]}
    assert list(items) == list(LESSONS)
    assert items["adam-sharp"]["state"] == "not run"
    answer = client.post("/v1/lessons/parabola-to-half/jobs")
    assert answer.status_code == 202
    assert answer.headers["location"] == "/v1/lessons/parabola-to-half"
    lesson = wait_for_verdict(client, "parabola-to-half")
    assert lesson["state"] == "judged"
    assert lesson["verdict"].startswith(VERDICTS)
    said = {one["name"]: one["said"] for one in lesson["quantities"]}
    assert set(said.values()) == {115, 35, None}
    (job,) = lesson["jobs"]
    assert job["receipt"]["torch"]
    assert client.get(job["links"]["self"]).json()["status"] == "completed"
    assert lesson["presets"][0]["spec"]["epochs"] == 300
    assert lesson["sources"] == [TEXTS["B"]]
    assert lesson["fairness"] == LESSONS["parabola-to-half"].fairness
    assert set(lesson["readings"].values()) <= {True, False, None}
    listed = {item["id"]: item for item in client.get("/v1/lessons").json()["items"]}
    assert listed["parabola-to-half"]["verdict"] == lesson["verdict"]


def test_a_verdict_stays_when_its_jobs_are_deleted_and_while_the_lesson_runs_again(client: httpx.Client) -> None:
    client.post("/v1/lessons/parabola-sgd/jobs").raise_for_status()
    first = wait_for_verdict(client, "parabola-sgd")
    client.delete(first["jobs"][0]["links"]["self"]).raise_for_status()
    kept = client.get("/v1/lessons/parabola-sgd").json()
    assert (kept["verdict"], kept["jobs"][0]["id"], kept["jobs"][0]["status"]) == (
        first["verdict"],
        first["jobs"][0]["id"],
        None,
    )
    assert client.post("/v1/lessons/parabola-sgd/jobs").raise_for_status().json()["verdict"] == first["verdict"]
    again = wait_for_verdict(client, "parabola-sgd")
    assert again["jobs"][0]["id"] != first["jobs"][0]["id"]
    assert again["quantities"] == first["quantities"], "the same spec, the same numbers"


def test_a_lesson_whose_job_is_gone_before_it_was_judged_has_stopped(client: httpx.Client) -> None:
    (job,) = client.post("/v1/lessons/parabola-momentum/jobs").raise_for_status().json()["jobs"]
    wait_for_job(client, job["id"])
    client.delete(f"/v1/jobs/{job['id']}").raise_for_status()
    lesson = client.get("/v1/lessons/parabola-momentum").json()
    # A verdict of an earlier run may remain; these jobs have none.
    assert (lesson["state"], lesson["judged_at"]) == ("stopped", None)


@pytest.mark.parametrize("call", [("GET", "/v1/lessons/nope"), ("POST", "/v1/lessons/nope/jobs")])
def test_an_unknown_lesson_is_404_with_the_known_names(client: httpx.Client, call: tuple[str, str]) -> None:
    answer = client.request(*call)
    assert answer.status_code == 404
    assert "parabola-sgd" in answer.json()["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_the_command_runs_lessons_at_a_service_and_lists_the_known_names(stack: Stack) -> None:
    def ravine(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("ravine")), "lessons", *words],
            capture_output=True,
            text=True,
            env={**os.environ, "RAVINE_URL": stack.url, "NO_PROXY": "127.0.0.1"},
            timeout=60,
            check=False,
        )

    answer = ravine("--only", "parabola-velocity")
    assert answer.returncode == 0, answer.stderr
    assert "parabola-velocity" in answer.stdout
    assert "holds" in answer.stdout
    unknown = ravine("--only", "nope")
    assert unknown.returncode == 2
    assert "parabola-velocity" in unknown.stderr
