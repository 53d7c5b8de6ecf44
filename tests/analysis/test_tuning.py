"""Expected best of k settings, band of good learning rates, and score of a performance profile."""

import itertools

import numpy as np
import pytest

from service.analysis.curves import Curves
from service.analysis.profiles import PRECISIONS, performance_ratios, precision_runtimes, profile_score, shares_at
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


def test_ratios_are_to_the_best_solver_of_each_instance_and_the_score_is_the_area() -> None:
    ratios = performance_ratios(np.array([[2.0, 9.0, np.inf, 0.0], [4.0, 3.0, np.inf, np.inf]]))
    assert ratios.tolist() == [[1, 3, np.inf, 1], [2, 1, np.inf, np.inf]]
    weight = np.full(4, 0.25)
    points = np.linspace(1, 4, 30_001)
    area = shares_at(ratios, points, weight)[:, :-1].mean(axis=1)
    assert profile_score(ratios, weight) == pytest.approx(area, abs=1e-3)


def test_precisions_are_shares_of_the_gap_at_the_start() -> None:
    curves = Curves(np.array([0, 3]), np.array([0, 1, 2, 0, 1]), np.array([11.0, 2.0, 1.0, 11.0, 10.9]))
    found = precision_runtimes(curves, np.array([11.0, 11.0]), 1.0)
    assert (found[:, PRECISIONS >= 1] == 0).all()
    # A tenth of the gap of 10 is reached with loss 2, a hundred-millionth only with the least loss itself.
    assert found[0, np.isclose(PRECISIONS, 0.1)] == 1
    assert found[0, -1] == 2
    assert found[1, -1] == np.inf


def test_medians_ignore_missing_values_and_keep_infinities() -> None:
    table = np.array([[1.0, np.nan, 3.0], [np.inf, np.inf, 1.0], [np.nan, np.nan, np.nan], [2.0, np.inf, np.nan]])
    assert medians(table)[:2].tolist() == [2.0, np.inf]
    assert np.isnan(medians(table)[2])
    assert medians(table)[3] == np.inf
