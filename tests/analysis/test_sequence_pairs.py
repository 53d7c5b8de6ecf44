"""All pairs of labels by intervals that hold at every look."""

import numpy as np
import pytest

from service.analysis.decisions import Rule, decide
from service.analysis.sequence_pairs import seeds_to_exclude_zero, sequence_pairs
from service.analysis.sequences import mean_sequence, share_sequence
from service.analysis.simultaneous import compare_pairs, rank_sets

LOOKS = range(10, 201, 10)


def drawn(num: int, labels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(num, labels))


def test_at_one_look_the_interval_is_that_of_the_confidence_sequence_of_the_difference() -> None:
    values = drawn(40, 3)
    pairs = sequence_pairs(values, [40])
    for at, (a, b) in enumerate(zip(pairs.first_M, pairs.second_M, strict=True)):
        apart = values[:, a] - values[:, b]
        low, high = mean_sequence(apart, 1 - 0.05 / 3)
        assert (pairs.low_M[at], pairs.high_M[at]) == pytest.approx((low[-1], high[-1]))
        below = share_sequence([(apart < 0).sum()], [0], 40, 0.05 / 3)
        assert (pairs.smaller_M.low_M[at], pairs.smaller_M.high_M[at]) == (below.low_M[0], below.high_M[0])


def test_what_is_no_interval_is_as_with_a_fixed_number_of_seeds() -> None:
    values = drawn(40, 4) + np.array([0, 0, 1, 2])
    pairs, fixed = sequence_pairs(values, LOOKS), compare_pairs(values)
    for field in ("num_seeds", "num_labels", "first_M", "second_M", "difference_M", "median_M"):
        assert np.array_equal(getattr(pairs, field), getattr(fixed, field))
    assert np.array_equal(pairs.smaller_M.value_M, fixed.smaller_M.value_M)
    assert (pairs.high_M - pairs.low_M > fixed.high_M - fixed.low_M).all()


def test_more_looks_only_narrow_an_interval() -> None:
    values = drawn(200, 4) + np.array([0, 0.2, 0.4, 0.8])
    before = sequence_pairs(values[:10], LOOKS)
    for num in LOOKS[1:]:
        pairs = sequence_pairs(values[:num], LOOKS)
        assert (pairs.low_M >= before.low_M).all()
        assert (pairs.high_M <= before.high_M).all()
        assert (pairs.p_M <= before.p_M).all()
        before = pairs


def test_p_is_at_most_five_per_cent_exactly_where_the_interval_excludes_zero() -> None:
    differing = 0
    for seed in range(10):
        pairs = sequence_pairs(drawn(60, 5, seed) + np.array([0, 0, 0.5, 1, 1.5]), LOOKS)
        assert (pairs.p_M <= 0.05).tolist() == pairs.differs_M.tolist()
        assert ((pairs.low_M > 0) | (pairs.high_M < 0)).tolist() == pairs.differs_M.tolist()
        differing += int(pairs.differs_M.sum())
    assert differing > 0


def test_an_interval_that_contradicts_the_earlier_ones_changes_nothing() -> None:
    values = np.zeros((60, 2))
    values[:, 0] = np.concatenate([drawn(20, 1)[:, 0] * 0.1 - 5, drawn(40, 1)[:, 0] * 0.1 + 500])
    values[20:, 0] += np.linspace(0, 0.1, 40)
    early, late = sequence_pairs(values[:20], LOOKS), sequence_pairs(values, range(10, 61, 10))
    assert (late.low_M[0], late.high_M[0]) == (early.low_M[0], early.high_M[0])
    assert late.differs_M[0]
    assert late.difference_M[0] > 0 > late.high_M[0]


def test_ranks_and_the_best_agree_with_the_decision_against_the_best() -> None:
    values = drawn(200, 5) + np.array([0.6, 0, 3, 1, 2])
    ranks = rank_sets(sequence_pairs(values, LOOKS))
    rule = Rule(0.0, False, 0.95, "best", 10, 10, 200)
    found = decide({str(at): seen for at, seen in enumerate(values.T)}, rule, baseline="0", scale="linear")
    assert ranks.best == [1]
    assert [one.verdict for one in found.labels] == ["worse", "better", "worse", "worse", "worse"]


def test_many_labels_are_compared_in_parts_with_the_same_result() -> None:
    values = drawn(30_000, 9)
    pairs = sequence_pairs(values, [30_000])
    for at in (0, 17, 35):
        a, b = pairs.first_M[at], pairs.second_M[at]
        low, high = mean_sequence(values[:, a] - values[:, b], 1 - 0.05 / 36)
        assert (pairs.low_M[at], pairs.high_M[at]) == pytest.approx((low[-1], high[-1]))


@pytest.mark.parametrize("has_intervals", [True, False])
def test_there_is_no_interval_without_looks_or_while_seeds_are_missing(has_intervals: bool) -> None:
    looks = [100] if has_intervals else [20]
    pairs = sequence_pairs(drawn(20, 3) + np.array([0, 5, 9]), looks, has_intervals=has_intervals)
    assert np.isnan([pairs.low_M, pairs.high_M, pairs.p_M, pairs.needed_M]).all()
    assert rank_sets(pairs).best == [0, 1, 2]
    assert np.isnan(sequence_pairs(np.empty((0, 2)), [10]).difference_M).all()


def test_the_number_of_seeds_needed_finds_the_difference_in_four_of_five_draws() -> None:
    for effect in (0.3, 0.8):
        num = int(seeds_to_exclude_zero(np.array([effect]), np.ones(1), 0.05)[0])
        low, _ = mean_sequence(np.random.default_rng(0).normal(effect, size=(num, 2_000)), 0.95, first_look=num)
        assert 0.76 < (low[-1] > 0).mean() < 0.85
    for difference, deviation in ((0.0, 1.0), (1.0, 0.0), (1e-9, 1.0), (np.nan, 1.0)):
        assert np.isnan(seeds_to_exclude_zero(np.array([difference]), np.array([deviation]), 0.05)).all()
