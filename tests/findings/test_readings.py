"""Readings of a statement: supported, refuted or undecided, and the verdict that follows from them."""

import numpy as np
import pytest

from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Quantity, difference, ratio, share
from service.findings.lessons.judging import between, concluded, equal, every, greater, less, together


def test_an_undecided_reading_is_neither_a_yes_nor_a_no() -> None:
    assert concluded({"first": True, "settled": None}, []).verdict == "holds if first"
    assert concluded({"first": False, "settled": None}, []).verdict == "inconclusive: undecided if settled"
    assert concluded({"first": None}, [], "the gap is 0.1 (−0.1 to 0.3)").verdict == (
        "inconclusive: the gap is 0.1 (−0.1 to 0.3)"
    )
    assert together({"it swings": True, "it settles": None}, []).verdict == "inconclusive: undecided whether it settles"
    assert together({"it swings": False, "it settles": None}, []).verdict == "fails: it is not true that it swings"
    assert [every(True, True), every(True, None), every(False, None)] == [True, None, False]
    # NumPy's comparisons have a type of their own.
    small, large = np.arange(2) > 0
    assert [every(small, None), every(large, True)] == [False, True]


def estimate(low: float | None, high: float | None) -> Quantity:
    return Quantity("gap", 0.0, low, high, "95 %, 20 seeds")


@pytest.mark.parametrize(
    ("low", "high", "above", "below", "same"),
    [
        (0.2, 0.4, True, False, False),
        (-0.4, -0.2, False, True, False),
        (-0.05, 0.3, None, False, None),
        (-0.3, 0.3, None, None, None),
        (-0.05, 0.05, False, False, True),
        (0.02, 0.05, False, False, True),
        (None, None, None, None, None),
    ],
)
def test_an_interval_supports_refutes_or_leaves_open(
    low: float | None, high: float | None, above: bool | None, below: bool | None, same: bool | None
) -> None:
    gap = estimate(low, high)
    assert greater(gap, margin=0.1) is above
    assert less(gap, margin=0.1) is below
    assert equal(gap, 0.1) is same


def test_an_interval_lies_in_a_range_outside_of_it_or_across_its_ends() -> None:
    assert [between(estimate(*ends), 3, 5) for ends in ((3.1, 4.9), (5.1, 6), (1, 2), (2, 4))] == [
        True,
        False,
        False,
        None,
    ]


def test_five_seeds_make_no_claim() -> None:
    ours, theirs = np.arange(5) + 10.0, np.arange(5) * 0.5
    assert greater(difference("gap", ours, theirs)) is None
    assert greater(ratio("gap", ours, theirs + 1)) is None
    assert greater(share("gap", [True] * 5)) is None
    assert greater(difference("gap", np.arange(6) + 10.0, np.arange(6) * 0.5)) is True


def test_settings_are_chosen_by_the_even_seeds_and_judged_by_the_odd_ones() -> None:
    # The rate 0.1 is best for the seeds 10 and 30, which choose; the rate 1 for 20 and 40, which judge.
    runs = [
        {"label": f"sgd lr={lr:g}", "optimizer": {"lr": lr}, "seed": seed, "status": "completed"}
        for lr in (0.1, 1.0)
        for seed in (10, 20, 30, 40)
    ]
    ends = [0.1, 0.9, 0.1, 0.9, 0.5, 0.2, None, 0.2]
    job = Evidence({}, runs, [{"epoch": [0, 1], "loss": [1.0, end]} for end in ends])
    assert job.judging("sgd").tolist() == [False, True, False, True] * 2
    assert job.chosen("loss", "sgd") == 0.1
    assert job.outcomes("loss", "sgd").tolist() == [0.1, 0.9, 0.1, 0.9, 0.5, 0.2, 1.0, 0.2]
