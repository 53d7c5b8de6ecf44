"""Expected best of k settings, band of good learning rates, and medians with missing values."""

import itertools

import numpy as np
import pytest

from service.analysis.summaries import medians
from service.analysis.tuning import band, expected_best


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
