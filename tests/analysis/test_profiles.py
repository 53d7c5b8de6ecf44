"""Performance profiles, epochs to many losses, and resampling of problems and seeds."""

import numpy as np
import pytest

from service.analysis.curves import Curves
from service.analysis.profiles import (
    PRECISIONS,
    band_of,
    epochs_to_losses,
    performance_ratios,
    precision_losses,
    profile_score,
    resampled_means,
    shares_within,
)


def test_ratios_are_to_the_best_solver_of_each_instance_and_the_score_is_the_area() -> None:
    ratios = performance_ratios(np.array([[2.0, 9.0, np.inf, 0.0], [4.0, 3.0, np.inf, np.inf]]))
    assert ratios.tolist() == [[1, 3, np.inf, 1], [2, 1, np.inf, np.inf]]
    weight = np.full(4, 0.25)
    points = np.linspace(1, 4, 30_001)
    area = [shares_within(ratio, points, weight)[:-1].mean() for ratio in ratios]
    assert profile_score(ratios, weight) == pytest.approx(area, abs=1e-3)


def test_precisions_are_shares_of_the_gap_at_the_start() -> None:
    curves = Curves(np.array([0, 3]), np.array([0, 1, 2, 0, 1]), np.array([11.0, 2.0, 1.0, 11.0, 10.9]))
    found = epochs_to_losses(curves, precision_losses(np.array([11.0, 11.0]), 1.0))
    assert (found[:, PRECISIONS >= 1] == 0).all()
    # A tenth of the gap of 10 is reached with loss 2, a hundred-millionth only with the least loss itself.
    assert found[0, np.isclose(PRECISIONS, 0.1)] == 1
    assert found[0, -1] == 2
    assert found[1, -1] == np.inf


def test_a_loss_of_nan_reaches_nothing_and_a_loss_that_rises_again_counts_from_its_first_epoch() -> None:
    curves = Curves(np.array([0, 4]), np.array([0, 2, 4, 6, 0]), np.array([8.0, np.nan, 1.0, 5.0, 3.0]))
    assert epochs_to_losses(curves, np.array([[8.0, 1.0, 0.5], [2.0, 3.0, np.nan]])).tolist() == [
        [0, 4, np.inf],
        [np.inf, 0, np.inf],
    ]


def test_resampled_means_vary_as_problems_and_their_seeds_do() -> None:
    rng = np.random.default_rng(3)
    centre = rng.normal(size=12)
    problems = [np.array([[at], [at]]) for at in centre]
    # Equal seeds within a problem: only problems vary.
    found = resampled_means(problems)
    assert found.mean() == pytest.approx(centre.mean(), abs=0.02)
    assert found.std() == pytest.approx(centre.std() / np.sqrt(12), rel=0.05)
    noisy = [at + rng.normal(size=(5, 1)) for at in centre]
    means, within = np.array([one.mean() for one in noisy]), np.mean([one.var() for one in noisy])
    spread = np.sqrt((means.var() + within / 5) / 12)
    assert resampled_means(noisy).std() == pytest.approx(spread, rel=0.05)
    # One problem: its seeds vary, and nothing else.
    (low,), (high,) = band_of(resampled_means([np.arange(10.0)[:, None]]))
    assert high - low == pytest.approx(2 * 1.96 * np.arange(10).std() / np.sqrt(10), rel=0.1)
    assert np.array_equal(*band_of(resampled_means([np.array([[4.0]])])))
