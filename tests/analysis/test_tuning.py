"""Expected best of k settings, band of good learning rates, and medians with missing values."""

import itertools

import numpy as np
import pytest

from service.analysis.summaries import medians
from service.analysis.tuning import band, expected_best, quantiles_of_best, share_within


def test_the_expected_best_is_the_mean_over_all_draws() -> None:
    scores = np.array([3.0, 1.0, 4.0, 1.5])
    for budget, found in zip((1, 2, 3), expected_best(scores, [1, 2, 3]), strict=True):
        assert found == pytest.approx(np.mean([min(draw) for draw in itertools.product(scores, repeat=budget)]))


def test_the_band_stops_where_a_rate_is_worse_by_a_tenth() -> None:
    rates = np.array([0.001, 0.01, 0.1, 1.0, 10.0])
    assert band(rates, np.array([1.05, 2.0, 1.0, 1.09, np.inf])) == (0.1, 1.0)
    assert band(rates[::-1], np.array([np.inf, 1.09, 1.0, 1.1, 1.05])) == (0.001, 1.0)


def test_medians_ignore_missing_values_and_keep_infinities() -> None:
    table = np.array([[1.0, np.nan, 3.0], [np.inf, np.inf, 1.0], [np.nan, np.nan, np.nan], [2.0, np.inf, np.nan]])
    assert medians(table)[:2].tolist() == [2.0, np.inf]
    assert np.isnan(medians(table)[2])
    assert medians(table)[3] == np.inf


def test_the_quantiles_of_the_best_of_k_are_those_of_draws() -> None:
    draw = np.random.default_rng(0)
    scores = draw.lognormal(size=40)
    for budget in (1, 4, 16):
        best = scores[draw.integers(40, size=(20_000, budget))].min(axis=1)
        [low] = quantiles_of_best(scores, [budget], 0.025)
        [high] = quantiles_of_best(scores, [budget], 0.975)
        assert (best < low).mean() <= 0.025 + 0.005 <= (best <= low).mean() + 0.01
        assert (best <= high).mean() >= 0.975 - 0.005
        assert (best < high).mean() <= 0.975 + 0.005


def test_the_share_within_a_tenth_of_the_best_counts_the_best() -> None:
    assert share_within(np.array([2.0, 1.0, 1.1, 1.2, np.inf])) == 0.4
    assert share_within(np.array([0.0, 1.0])) == 0.5
