"""Verdicts of a job that runs until it is sure."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from math import inf, log, sqrt
from typing import Literal

import numpy as np
import pytest

from service.analysis.decisions import Decision, Rule, decide, looks_of
from service.analysis.sequences import prior_variance

RULE = Rule(margin=0.5, is_relative=False, confidence=0.95, against="baseline", first_look=10, batch=10, max_seeds=200)
BEST = replace(RULE, against="best")


def drawn(*means: float, num: int = 200, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=num)
    return {chr(ord("a") + at): mean + shared + rng.normal(size=num) for at, mean in enumerate(means)}


def verdicts(decision: Decision) -> dict[str, str]:
    return {one.label: one.verdict for one in decision.labels}


def half_width(apart: np.ndarray, alpha: float) -> float:
    """Give half the width of the interval by its published form: t² (1/(n−1)) = (c − 1)/(1 − c/g)."""
    num = len(apart)
    growth = 1 + num * prior_variance(alpha)
    bound = (growth / alpha**2) ** (1 / num)
    if bound >= growth:
        return inf
    return sqrt((num - 1) * (bound - 1) / (1 - bound / growth)) * float(apart.std(ddof=1)) / sqrt(num)


@pytest.mark.parametrize("others", [1, 3])
def test_verdicts_are_those_of_the_plain_formula_at_every_look(others: int) -> None:
    values = drawn(0, *[0.1, 1.0, -0.6][:others], seed=others)
    found = decide(values, RULE, baseline="a", scale="linear")
    for one in found.labels:
        apart, low, high, expected = values[one.label] - values["a"], -inf, inf, ("undecided", 200)
        for num in range(10, 201, 10):
            half = half_width(apart[:num], 0.05 / others)
            low, high = max(low, apart[:num].mean() - half), min(high, apart[:num].mean() + half)
            if low >= -0.5 and high <= 0.5:
                expected = "equal", num
                break
            if low > 0 or high < 0:
                expected = "worse" if low > 0 else "better", num
                break
        assert (one.verdict, one.seeds) == expected
        assert (one.low, one.high) == pytest.approx((low, high))


def test_against_the_best_a_label_is_compared_with_the_best_of_the_others() -> None:
    values = drawn(0.05, 0, 1.5, 3.0)
    found = decide(values, BEST, baseline="c", scale="linear")
    assert verdicts(found) == {"a": "equal", "b": "equal", "c": "worse", "d": "worse"}
    alone = decide(drawn(0, 2.0, 2.0), BEST, baseline="a", scale="linear")
    assert verdicts(alone) == {"a": "better", "b": "worse", "c": "worse"}
    two = {label: values[label] for label in "ad"}
    straight, best = (decide(two, rule, baseline="a", scale="linear") for rule in (RULE, BEST))
    assert straight.labels[0] == best.labels[1]


@pytest.mark.parametrize("rule", [RULE, BEST])
def test_a_label_keeps_its_first_verdict(rule: Rule) -> None:
    values = drawn(0, 0, 0.9, -0.8)
    before: dict[str, str] = {}
    for num in range(5, 201, 5):
        found = decide({label: seen[:num] for label, seen in values.items()}, rule, baseline="a", scale="linear")
        for label, verdict in verdicts(found).items():
            assert before.get(label, "undecided") in (verdict, "undecided")
        before = verdicts(found)
    assert set(before.values()) <= {"better", "worse", "equal"}


def test_a_verdict_stands_although_the_later_seeds_speak_against_it() -> None:
    values = {"a": np.zeros(60), "b": np.concatenate([drawn(0, num=20)["a"] - 5, drawn(0, num=40)["a"] + 50])}
    found = decide(values, replace(RULE, against="baseline"), baseline="a", scale="linear")
    assert found == decide({name: seen[:20] for name, seen in values.items()}, RULE, baseline="a", scale="linear")
    assert (found.status, found.seeds_used, verdicts(found)) == ("decided", 10, {"b": "better"})


@pytest.mark.parametrize("rule", [RULE, BEST])
def test_the_order_of_the_labels_changes_nothing(rule: Rule) -> None:
    values = drawn(0, 0.2, -1, 0.6)
    straight = decide(values, rule, baseline="b", scale="linear")
    turned = decide(dict(reversed(values.items())), rule, baseline="b", scale="linear")
    assert set(straight.labels) == set(turned.labels)
    assert (straight.status, straight.seeds_used) == (turned.status, turned.seeds_used)


@pytest.mark.parametrize("rule", [RULE, BEST])
def test_a_replay_gives_the_same_bytes_whenever_the_job_was_interrupted(rule: Rule) -> None:
    values = drawn(0, 0.7, -0.7)
    whole = decide(values, rule, baseline="a", scale="linear")
    for num in (whole.seeds_used, whole.seeds_used + 3, 200):
        again = decide({label: seen[:num].copy() for label, seen in values.items()}, rule, baseline="a", scale="linear")
        assert json.dumps(asdict(again)) == json.dumps(asdict(whole))


@pytest.mark.parametrize("rule", [RULE, BEST])
def test_maximizing_turns_the_verdicts_round_and_not_the_intervals(rule: Rule) -> None:
    values = drawn(0, 1, -1)
    large = decide(values, rule, baseline="a", scale="linear", maximize=True)
    small = decide({label: -seen for label, seen in values.items()}, rule, baseline="a", scale="linear")
    assert verdicts(large) == verdicts(small)
    for one, other in zip(large.labels, small.labels, strict=True):
        assert (one.low, one.high) == (-(other.high or 0), -(other.low or 0))


def test_a_margin_is_a_difference_a_ratio_or_a_share_of_the_baselines_mean() -> None:
    noise = drawn(0, 0)
    near = {"a": noise["a"] * 1e-3, "b": noise["b"]}
    relative = replace(RULE, margin=0.5, is_relative=True)

    def seeds(rule: Rule, shift: float, scale: Literal["log", "linear"]) -> int:
        values = {label: seen + shift for label, seen in near.items()}
        return decide(values, rule, baseline="a", scale=scale).seeds_used

    def absolute(margin: float) -> int:
        return seeds(replace(RULE, margin=margin), 0, "linear")

    # A ratio of at most 1.5 on a logarithmic scale, whatever its level.
    assert seeds(relative, 0, "log") == seeds(relative, -7, "log") == absolute(log(1.5))
    # Half of a mean of 2, of either sign, is 1.
    assert seeds(relative, 2, "linear") == seeds(relative, -2, "linear") == absolute(1)
    assert len({absolute(1), absolute(log(1.5)), seeds(replace(relative, margin=0.05), 2, "linear")}) == 3


def test_a_decision_is_open_until_every_label_has_a_verdict_and_undecided_at_most_seeds() -> None:
    values = drawn(0, 0.05, 5)
    rule = replace(RULE, margin=0.01, max_seeds=45)

    def after(num: int) -> Decision:
        return decide({label: seen[:num] for label, seen in values.items()}, rule, baseline="a", scale="linear")

    assert (after(9).status, after(9).seeds_used, after(9).labels[0].low) == ("open", 0, None)
    assert (after(29).status, after(29).seeds_used) == ("open", 20)
    assert verdicts(after(29)) == {"b": "undecided", "c": "worse"}
    assert (after(44).status, after(44).seeds_used) == ("open", 40)
    assert (after(45).status, after(45).seeds_used) == ("undecided", 45)
    assert after(45).labels[0].seeds == 45
    assert after(100) == after(45)


def test_a_job_that_is_continued_keeps_the_look_at_its_former_end() -> None:
    longer = replace(RULE, max_seeds=72, former_ends=(45,))
    assert looks_of(replace(RULE, max_seeds=45), 500).tolist() == [10, 20, 30, 40, 45]
    assert looks_of(longer, 500).tolist() == [10, 20, 30, 40, 45, 50, 60, 70, 72]
    assert looks_of(longer, 49).tolist() == [10, 20, 30, 40, 45]


def test_without_spread_there_is_no_verdict_and_no_interval() -> None:
    values = drawn(0, 0, 3)
    values["b"] = values["a"] + 0.1
    found = decide(values, RULE, baseline="a", scale="linear")
    assert verdicts(found) == {"b": "undecided", "c": "worse"}
    assert (found.labels[0].low, found.labels[0].high) == (None, None)
    best = decide(values, BEST, baseline="a", scale="linear")
    assert verdicts(best) == {"a": "undecided", "b": "undecided", "c": "worse"}


def test_few_seeds_decide_nothing_however_large_the_difference() -> None:
    values = drawn(0, 1_000, num=6)
    found = decide(values, replace(RULE, first_look=2, batch=1), baseline="a", scale="linear")
    assert (found.status, verdicts(found)) == ("open", {"b": "undecided"})


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"a": [0.0]}, "two labels"),
        ({"b": [0.0], "c": [0.0]}, "baseline"),
        ({"a": [0.0, 1.0], "b": [0.0]}, "shape"),
        ({"a": [0.0], "b": [inf]}, "finite"),
    ],
)
def test_values_that_cannot_be_compared_are_an_error(values: dict[str, list[float]], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        decide({label: np.array(seen) for label, seen in values.items()}, RULE, baseline="a", scale="linear")


NULLS: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape),
    "Cauchy": lambda rng, shape: rng.standard_cauchy(shape),
    "ties": lambda rng, shape: rng.integers(0, 3, shape).astype(float),
    "diverged": lambda rng, shape: np.where(rng.random(shape) < 0.1, 5.0, rng.normal(size=shape)),
}


@pytest.mark.parametrize("name", list(NULLS))
@pytest.mark.parametrize("labels", [2, 5])
def test_equal_labels_are_ever_told_apart_in_at_most_one_of_twenty_draws(name: str, labels: int) -> None:
    rng = np.random.default_rng(labels)
    rule = replace(BEST if labels > 2 else RULE, margin=0.0)
    wrong = 0
    for _ in range(100):
        values = dict(zip("abcde", NULLS[name](rng, (200, labels)).T, strict=False))
        found = decide(values, rule, baseline="a", scale="linear")
        wrong += any(one.verdict in ("better", "worse") for one in found.labels)
    # 5 % and three standard errors.
    assert wrong <= 5 + 6
