"""Verdicts of lessons for given numbers, their figures and their page."""

import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.analysis.descent import first_reached, overshoot, settled, sign_changes, turning_angle
from service.findings.ledger.figures import svg
from service.findings.ledger.page import verdicts_on, write_page
from service.findings.lessons import LESSONS
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Figure, band, curve, difference, number, ratio, said, share
from service.findings.lessons.judging import as_said, concluded, together


def evidence(**fields: list[list[Any]]) -> Evidence:
    """The runs of one label, from their histories."""
    num = len(next(iter(fields.values())))
    runs = [{"label": "sgd", "optimizer": {"lr": 0.1}, "seed": seed, "status": "completed"} for seed in range(num)]
    histories = [
        {"epoch": list(range(len(of[run]))), **{name: of[run] for name, of in fields.items()}}
        for run in range(num)
        for of in [next(iter(fields.values()))]
    ]
    return Evidence({}, runs, histories)


def test_numbers_hold_to_their_last_digit_or_only_nearly() -> None:
    assert as_said([said("w", 4.25389, 4.2539, 5e-5)]).verdict == "holds"
    assert as_said([said("w", 4.25381, 4.2539, 5e-5)]).verdict == (
        "holds if numbers may be off by one in their last digit"
    )
    assert as_said([said("w", 4.1, 4.2539, 5e-5), number("other", 1)]).verdict == "fails: w is 4.1, not 4.2539"


def test_a_statement_holds_in_all_readings_in_some_or_in_none() -> None:
    assert concluded({"first": True, "settled": True}, []).verdict == "holds"
    assert concluded({"first": True, "settled": False}, []).verdict == "holds if first"
    assert concluded({"first": False}, [], "never").verdict == "fails: never"
    assert together({"it swings": True, "it settles": True}, []).verdict == "holds"
    assert together({"it swings": True, "it settles": False}, [], "it drifts").verdict == (
        "fails: it is not true that it settles; it drifts"
    )


def test_other_steps_on_the_parabola_give_another_verdict() -> None:
    judge = LESSONS["parabola-sgd"].judge

    def verdict(lr: float) -> str:
        path = [[5 * (1 - 2 * lr) ** k] for k in range(9)]
        return judge({"parabola-sgd": evidence(position=[path])}).verdict

    assert verdict(0.01).startswith("holds")
    assert verdict(0.011).startswith("fails")


def test_settling_is_the_last_arrival_and_must_last() -> None:
    epochs, swings = np.arange(11), [5, 0, 5, 0, 0, 5, 0, 0, 0, 0, 0]
    assert first_reached(epochs, swings, 1)[0] == 1
    assert settled(epochs, swings, 1)[0] == 6
    assert settled(epochs, [5] * 10 + [0], 1)[0] == math.inf
    assert settled(epochs, [5, math.nan, *[0] * 8, math.nan], 1)[0] == math.inf
    assert settled(epochs, [[0] * 11, [9] * 11], 1).tolist() == [0, math.inf]


def test_measures_of_paths_follow_their_definitions() -> None:
    assert sign_changes([[1, -1, 1e-12, -1, 2]], floor=1e-9).tolist() == [2]
    assert overshoot([[2, 1, -0.5, 0.1], [-2, -1, -0.1, 0]]).tolist() == [0.25, 0.0]
    there_and_back = [[[0, 0], [1, 0], [0, 0]], [[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 0], [2, 0]]]
    assert turning_angle(there_and_back) == pytest.approx([180, 90, 0])


def test_intervals_contain_the_true_values() -> None:
    found = share("share", [True] * 30 + [False] * 70)
    # Clopper and Pearson's interval of 30 in 100.
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 0.2124, 0.3998), abs=5e-5)
    middle = band("loss", [1.0, 2.0, 3.0, math.nan])
    assert (middle.value, middle.high) == (2.0, math.inf)
    rng = np.random.default_rng(1)
    base = rng.normal(size=40)
    gap = difference("gap", base + 0.5 + 0.1 * rng.normal(size=40), base)
    assert gap.low is not None
    assert gap.high is not None
    assert 0.4 < gap.low < 0.5 < gap.high < 0.6
    assert difference("gap", [1.0, math.inf], [1.0, 1.0]).value is None
    times = ratio("times", np.exp(base + 0.5 + 0.1 * rng.normal(size=40)), np.exp(base))
    assert times.low is not None
    assert times.high is not None
    assert math.exp(0.4) < times.low < math.exp(0.5) < times.high < math.exp(0.6)


def test_evidence_reads_texts_as_numbers_and_pads_short_runs() -> None:
    found = evidence(loss=[[1.0, "Infinity"], [1.0, 0.5, 0.25]])
    loss = found.values("loss", "sgd")
    assert loss[0, 1] == math.inf
    assert math.isnan(loss[0, 2])
    assert found.ends("loss").tolist() == [math.inf, 0.25]
    with pytest.raises(KeyError, match="adam"):
        found.values("loss", "adam")


def test_figures_are_well_formed_whatever_is_in_them() -> None:
    steps = np.arange(5)
    curves = [curve("a < b", steps, [1, 10, math.inf, 0, 3]), curve("band", steps, np.ones((4, 5)))]
    for log in (True, False):
        figure = Figure("A & B", "x", "y", curves, log_x=False, log_y=log)
        content = {**vars(figure), "curves": [vars(one) for one in curves]}
        root = ElementTree.fromstring(svg(content))
        assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == 2
        assert "nan" not in svg(content)
    empty = {**vars(Figure("none", "x", "y", [curve("nothing", steps, [math.nan] * 5)]))}
    ElementTree.fromstring(svg({**empty, "curves": [vars(one) for one in empty["curves"]]}))


def test_the_verdicts_on_a_page_can_be_read_back(tmp_path: Path) -> None:
    lesson = {
        "id": "parabola-sgd",
        "texts": ["B"],
        "statement": "It is so.",
        "criterion": "A number.",
        "fairness": "It is a number.",
        "verdict": "holds if read kindly",
        "readings": {"read kindly": True, "read strictly": False, "read twice": None},
        "quantities": [
            {"name": "w", "value": "Infinity", "low": 1.0, "high": 2.0, "interval": "95 %", "said": 1, "tolerance": 0.5}
        ],
        "figures": [{**vars(Figure("w", "step", "w", [])), "curves": [vars(curve("sgd", [0, 1], [1, 2]))]}],
        "presets": [{"name": "parabola-sgd"}],
        "jobs": [{"seconds": 0.5, "receipt": {"torch": "2", "version": "0", "spec_digest": "abc", "dtype": "float64"}}],
    }
    page = tmp_path / "lessons.md"
    write_page([lesson], page)
    text = page.read_text(encoding="utf-8")
    assert verdicts_on(text) == {"parabola-sgd": "holds if read kindly"}
    assert "Why this criterion: It is a number." in text
    assert "- yes: read kindly\n- no: read strictly\n- undecided: read twice\n" in text
    assert "| w | ∞ | 1 to 2 (95 %) | 1 ± 0.5 |" in text
    assert "images/lessons/parabola-sgd.svg" in text
    assert (tmp_path / "images" / "lessons" / "parabola-sgd.svg").exists()
