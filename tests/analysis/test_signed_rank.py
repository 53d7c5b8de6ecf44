"""Wilcoxon's test and Holm's correction, against scipy and by counting."""

import itertools

import numpy as np
import pytest
import scipy.stats

from service.analysis.signed_rank import holm, signed_rank_p


@pytest.mark.parametrize("num", [1, 2, 5, 10, 20, 50])
def test_p_equals_that_of_scipy(num: int) -> None:
    differences = np.random.default_rng(num).normal(0.3, size=num)
    assert signed_rank_p(differences) == pytest.approx(scipy.stats.wilcoxon(differences, method="exact").pvalue)


def test_p_of_many_pairs_with_ties_equals_that_of_scipy() -> None:
    differences = np.random.default_rng(1).integers(-3, 5, 200).astype(float)
    expected = scipy.stats.wilcoxon(differences, method="approx").pvalue
    assert signed_rank_p(differences) == pytest.approx(expected)


def test_p_with_ties_and_infinities_counts_all_signs() -> None:
    differences = np.array([1.0, 1.0, -1.0, 2.0, 3.0, 3.0, np.inf, 0.0])
    ranks = np.array([2.0, 2.0, 2.0, 4.0, 5.5, 5.5, 7.0])
    negative = [ranks[np.array(signs) < 0].sum() for signs in itertools.product([-1, 1], repeat=7)]
    assert signed_rank_p(differences) == pytest.approx(min(1.0, 2 * np.mean(np.array(negative) <= 2.0)))


def test_pairs_without_a_difference_give_no_evidence() -> None:
    assert signed_rank_p(np.zeros(9)) == 1.0


@pytest.mark.parametrize("num", [10, 20])
def test_one_test_in_twenty_finds_a_difference_where_there_is_none(num: int) -> None:
    rng = np.random.default_rng(8)
    found = [signed_rank_p(rng.normal(size=num)) <= 0.05 for _ in range(2_000)]
    assert 0.03 <= np.mean(found) <= 0.07


def test_holm_steps_down() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.5, 0.9])) == pytest.approx([1.0, 1.0])
    assert len(holm(np.array([]))) == 0
