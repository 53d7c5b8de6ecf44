"""All pairs of labels at once: differences, adjusted p, ranks and the set of the best."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from service.analysis.simultaneous import compare_pairs, rank_sets
from tests.thorough import examples


def drawn(num: int, labels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(num, labels))


def test_two_labels_have_the_interval_and_the_p_of_students_paired_test() -> None:
    values = drawn(9, 2)
    pairs = compare_pairs(values)
    test = stats.ttest_rel(values[:, 0], values[:, 1])
    low, high = test.confidence_interval(0.95)
    assert pairs.p_M[0] == pytest.approx(test.pvalue)
    assert (pairs.low_M[0], pairs.high_M[0]) == pytest.approx((low, high))


def test_intervals_of_several_labels_are_corrected_by_bonferroni() -> None:
    values = drawn(12, 4)
    pairs = compare_pairs(values)
    for at, (a, b) in enumerate(zip(pairs.first_M, pairs.second_M, strict=True)):
        test = stats.ttest_rel(values[:, a], values[:, b])
        low, high = test.confidence_interval(1 - 0.05 / 6)
        assert (pairs.low_M[at], pairs.high_M[at]) == pytest.approx((low, high))
        assert pairs.p_M[at] <= min(1, 6 * test.pvalue) + 1e-12
        assert pairs.at(a, b) == (at, 1)
        assert pairs.at(b, a) == (at, -1)


def test_p_is_adjusted_step_by_step_for_the_pairs_that_can_still_be_equal() -> None:
    values = drawn(12, 4) + np.array([0, 0.4, 1.5, 1.2])
    pairs = compare_pairs(values)
    single = np.array([stats.ttest_rel(values[:, a], values[:, b]).pvalue for a, b in combinations(range(4), 2)])
    # Four labels have 6 equal pairs; with one pair apart at most 3: three labels are equal, or two and two.
    expected = np.minimum(1, np.maximum.accumulate(np.sort(single) * [6, 3, 3, 3, 2, 1]))
    assert pairs.p_M[np.argsort(single)] == pytest.approx(expected)
    assert pairs.differs_M.tolist() == (pairs.p_M <= 0.05).tolist()


def test_an_interval_lies_on_one_side_of_zero_exactly_where_the_pair_differs() -> None:
    clipped = 0
    for seed in range(200):
        pairs = compare_pairs(drawn(10, 5, seed) + np.array([0, 0, 0, 1, 2.0]))
        one_sided = (pairs.low_M >= 0) | (pairs.high_M <= 0)
        assert one_sided.tolist() == pairs.differs_M.tolist()
        clipped += int(((pairs.low_M == 0) | (pairs.high_M == 0)).sum())
    assert clipped > 0


@pytest.mark.parametrize("num", [1, 2, 5])
def test_fewer_than_six_seeds_give_no_interval(num: int) -> None:
    pairs = compare_pairs(drawn(num, 3) + np.array([0, 100, 200]))
    assert np.isnan([*pairs.low_M, *pairs.high_M, *pairs.p_M, *pairs.smaller_M.low_M]).all()
    assert rank_sets(pairs).best == [0, 1, 2]


def test_a_difference_without_spread_has_no_interval() -> None:
    pairs = compare_pairs(np.tile([1.0, 2.0], (20, 1)))
    assert pairs.difference_M[0] == -1
    assert np.isnan([pairs.low_M[0], pairs.p_M[0]]).all()
    # Equal differences of unequal values differ by rounding only.
    values = drawn(20, 1)
    assert np.isnan(compare_pairs(np.hstack([values, values + 0.1])).low_M[0])


def test_ranks_and_the_best_follow_from_the_intervals() -> None:
    values = drawn(20, 4) * 0.1 + [1.0, 0.0, 0.02, 5.0]
    ranks = rank_sets(compare_pairs(values))
    assert ranks.low_K.tolist() == [3, 1, 1, 4]
    assert ranks.high_K.tolist() == [3, 2, 2, 4]
    assert ranks.best == [1, 2]
    assert rank_sets(compare_pairs(values), larger_is_better=True).best == [3]


def test_no_answer_depends_on_the_order_of_the_labels() -> None:
    values = drawn(15, 6) + np.linspace(0, 1.5, 6)
    order = [3, 0, 5, 1, 4, 2]
    straight, shuffled = rank_sets(compare_pairs(values)), rank_sets(compare_pairs(values[:, order]))
    assert straight.low_K[order].tolist() == shuffled.low_K.tolist()
    assert straight.high_K[order].tolist() == shuffled.high_K.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("labels", [2, 6, 20])
def test_equal_labels_are_told_apart_in_at_most_one_of_twenty_draws(labels: int) -> None:
    rng = np.random.default_rng(labels)
    num = examples(400, 1_000)
    wrong = sum(bool((compare_pairs(rng.normal(size=(8, labels))).p_M < 0.05).any()) for _ in range(num))
    # 5 % and three standard errors.
    assert wrong <= 0.05 * num + 3 * math.sqrt(0.05 * 0.95 * num)


def test_the_probability_of_a_lower_value_counts_ties_half() -> None:
    pairs = compare_pairs(np.array([[0, 1], [0, 0], [1, 0], [0, 2], [0, 3], [0, 1.5], [0, 1.0], [0, 4]]))
    assert pairs.smaller_M.value_M[0] == 6.5 / 8
    assert pairs.smaller_M.low_M[0] < 6.5 / 8 < pairs.smaller_M.high_M[0] < 1


def test_a_probability_has_the_interval_of_clopper_and_pearson() -> None:
    values = np.zeros((10, 2))
    values[:7, 1], values[7:, 1] = 1, -1
    exact = stats.binomtest(7, 10).proportion_ci(0.95, method="exact")
    found = compare_pairs(values + drawn(10, 1) * 0.1).smaller_M
    assert (found.low_M[0], found.high_M[0]) == pytest.approx((exact.low, exact.high))
