"""The verdict of a comparison: one plain sentence that claims only what the intervals show."""

import re
from typing import Any

import numpy as np
import pytest

from service.findings.comparison.criterion import Measure
from service.findings.comparison.judged import Judged, judged
from service.findings.comparison.verdict import Circumstances, verdict
from service.findings.comparison.words import names, number, times

LOG = Measure("final_loss", "log", False, False, 0.0, 1.0)
LINEAR = Measure("final_loss", "linear", False, False, 0.0, 1.0)
ACCURACY = Measure("test_accuracy", "linear", False, True, 0.0, 0.1)
EPOCHS = Measure("epochs_to_target", "log", False, False, 0.0, 100.0)


def seeds(centres: list[float], num: int = 20, spread: float = 0.05, seed: int = 0) -> np.ndarray:
    """Draw values [labels, seeds, 1 start] around the centres; each seed shifts all labels alike."""
    rng = np.random.default_rng(seed)
    shared = 0.2 * rng.normal(size=(1, num))
    own = spread * rng.normal(size=(len(centres), num))
    return (np.array(centres)[:, None] + shared + own)[:, :, None]


def losses(values: list[float], **drawn: Any) -> np.ndarray:
    return seeds(np.log(values).tolist(), **drawn)


def said(found: Judged, **around: Any) -> str:
    sentence = verdict(found, Circumstances(**around))
    assert len(sentence.split()) <= 25, sentence
    return sentence


def test_the_winner_of_two_is_named_with_ratio_interval_and_seeds() -> None:
    sentence = said(judged(LOG, ["sgd", "nesterov"], losses([0.2, 0.056])))
    pattern = r"Nesterov ended at a loss of 0\.0\d+, SGD at 0\.\d+ \(3\.\d× lower; 95 %: 3\.\d to 3\.\d, 20 seeds\)\."
    assert re.fullmatch(pattern, sentence), sentence


def test_the_winner_of_many_is_compared_with_the_next_one() -> None:
    sentence = said(judged(LOG, ["sgd", "adam", "nesterov"], losses([0.9, 0.11, 0.2])))
    assert re.match(r"Adam is best, with a loss of 0\.1\d*; Nesterov follows with 0\.\d+ \(1\.\d+× lower;", sentence)


def test_labels_that_may_be_best_are_named_and_the_others_are_worse_than_each() -> None:
    found = judged(LOG, ["adam", "adamw", "sgd"], losses([0.1, 0.1001, 0.3], spread=0.2))
    assert re.fullmatch(
        r"(Adam and AdamW|AdamW and Adam) cannot be told apart as best \(20 seeds\); SGD is worse than each\.",
        said(found),
    )


def test_two_equal_labels_cannot_be_told_apart() -> None:
    sentence = said(judged(LOG, ["a", "b"], losses([0.1, 0.1], spread=0.3)))
    assert "cannot be told apart (difference " in sentence
    assert sentence.endswith(" 20 seeds).")


def test_negligible_differences_are_called_so() -> None:
    near = said(judged(LOG, ["a", "b"], losses([0.1, 0.1002], spread=1e-4)))
    assert near.startswith("a is ahead of b by a negligible difference (0.2 % lower; ")
    accuracy = said(judged(ACCURACY, ["a", "b"], seeds([0.951, 0.95], spread=1e-4)))
    assert re.match(r"a is ahead of b by a negligible difference \(0\.\d+ points higher; ", accuracy)


def test_accuracies_are_told_in_per_cent_and_points() -> None:
    sentence = said(judged(ACCURACY, ["a", "b"], seeds([0.93, 0.95], spread=1e-3)))
    assert re.match(r"b reached a test accuracy of \d+\.\d %, a \d+\.\d % \(\d\.\d+ points higher; 95 %: ", sentence)


def test_a_target_is_told_in_epochs_or_where_it_is_missed_in_runs() -> None:
    times_KN = np.log(np.array([[28.0, 30, 27, 29, 28, 31, 26, 28], [100.0, 90, 110, 95, 99, 101, 105, 98]]))
    found = judged(EPOCHS, ["nesterov", "sgd"], times_KN[:, :, None])
    sentence = said(found, target=0.0565, unit="step", reached=[(8, 8), (8, 8)])
    assert sentence.startswith("Nesterov needed 28.3 steps to a loss of 0.0565, SGD 99.6 (3.5× fewer; 95 %: ")
    missing = said(found, target=0.0565, unit="epoch", reached=[(7, 8), (0, 8)])
    assert missing.startswith("Nesterov reached a loss of 0.0565 in 7 of 8 runs, SGD in none (3.5× fewer; ")


@pytest.mark.parametrize(("tuned", "needed"), [(False, 6), (True, 12)])
def test_few_seeds_say_what_was_seen_and_how_many_would_do(tuned: bool, needed: int) -> None:
    sentence = said(judged(LOG, ["a", "b"], losses([0.1, 0.9], num=5)), is_tuned=tuned)
    assert sentence.startswith("a was ahead in 5 of 5 ")
    assert sentence.endswith(f"too few for a margin of error. Use at least {needed} seeds.")


def test_one_run_each_has_no_margin_of_error() -> None:
    one = judged(LOG, ["a", "b"], np.log([[[0.1]], [[0.9]]]))
    assert said(one) == "a ended at a loss of 0.1, b at 0.9. One run each: no margin of error. Use at least 6 seeds."
    fixed = said(one, is_random=False)
    assert fixed.endswith(" One run each, nothing random: no margin of error. Draw starts at random.")


def test_fixed_starts_are_counted_and_give_no_interval() -> None:
    values = np.log(np.stack([np.full(100, 0.5), np.where(np.arange(100) < 64, 0.4, 0.52)]))[:, None, :]
    sentence = said(judged(LOG, ["a", "b"], values), is_random=False)
    assert sentence.startswith("b was ahead from 64 of 100 fixed starts; one seed gives no margin of error. ")


def test_where_all_diverged_a_smaller_rate_is_advised() -> None:
    found = judged(LOG, ["a", "b"], np.zeros((2, 20, 1)))
    assert said(found, all_diverged=True, smallest_lr=0.002) == "Both diverged. Try learning rates below 0.002."


def test_a_job_that_still_runs_claims_nothing() -> None:
    found = judged(LOG, ["a", "b"], losses([0.1, 0.9]), claims=False)
    assert said(found, is_partial=True).startswith("So far a ended at a loss of ")
    assert np.isnan(found.pairs.p_M).all()
    assert found.best == [0, 1]


def test_labels_that_are_equal_in_every_run_are_said_to_be_equal() -> None:
    assert said(judged(LOG, ["a", "b"], np.zeros((2, 20, 1)))) == "a and b are equal in every run (20 seeds)."


def test_a_difference_without_spread_is_told_without_an_interval() -> None:
    found = judged(EPOCHS, ["a", "b"], np.log(np.array([[28.0] * 20, [30.0] * 20]))[:, :, None])
    sentence = said(found, target=0.1, reached=[(20, 20), (20, 20)])
    assert sentence == "a needed 28 epochs to a loss of 0.1, b 30 in each of 20 seeds: without spread, no interval."


def test_nothing_recorded_and_nothing_to_compare_with() -> None:
    assert said(judged(LOG, [], np.empty((0, 0, 1)))) == "No run has recorded anything yet."
    alone = said(judged(LOG, ["a"], losses([0.1])))
    assert alone.endswith("; there is nothing to compare it with.")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0565, "0.0565"), (5.99e-125, "6.0×10⁻¹²⁵"), (1e9, "10⁹"), (1234.5, "1,230"), (0.0, "0"), (-0.25, "−0.25")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.352, "1.35"), (3.57, "3.6"), (13_420, "13,000"), (2e300, "over a million"), (10.2, "10")]
)
def test_ratios_have_the_digits_that_an_interval_justifies(ratio: float, text: str) -> None:
    assert times(ratio) == text


def test_long_lists_are_shortened() -> None:
    assert names(["a", "b", "c", "d"]) == "a, b, c and d"
    assert names(["a", "b", "c", "d", "e"]) == "a, b, c and 2 others"


def test_a_job_that_stopped_when_it_was_sure_has_the_wider_intervals_of_every_look() -> None:
    values_KNT = losses([0.2, 0.056], num=40)
    fixed = judged(LOG, ["sgd", "nesterov"], values_KNT)
    stopped = judged(LOG, ["sgd", "nesterov"], values_KNT, looks=[10, 20, 30, 40], confidence=0.9)
    assert re.search(r"\(3\.\d\d?× lower; 90 %: 3\.\d\d? to 3\.\d\d?, 40 seeds\)\.", said(stopped))
    assert stopped.difference(0, 1).low < fixed.difference(0, 1).low
    assert stopped.difference(0, 1).value == fixed.difference(0, 1).value
    assert stopped.best == fixed.best == [1]


def test_a_difference_that_few_looks_cannot_show_is_no_claim_of_a_job_that_stopped() -> None:
    values_KNT = seeds([0.0, 0.035], num=20, spread=0.06)
    assert judged(LOG, ["a", "b"], values_KNT).best == [0]
    stopped = judged(LOG, ["a", "b"], values_KNT, looks=[10, 20])
    assert "cannot be told apart" in said(stopped)
    assert (stopped.seeds_to_single_best() or 0) > 0
