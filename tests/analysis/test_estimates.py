"""Estimates and their intervals, against scipy and known properties of distributions."""

import numpy as np
import pytest
import scipy.stats

from service.analysis import bootstrap
from service.analysis.bootstrap import Statistic, estimate
from service.analysis.paired import mean_difference, mean_ratio


@pytest.mark.parametrize("num", [1, 2, 3, 4, 7, 10, 23, 201])
def test_estimates_are_those_of_scipy(num: int) -> None:
    samples = np.random.default_rng(num).lognormal(size=(4, num))
    assert estimate(samples, "mean").value_C == pytest.approx(samples.mean(axis=1))
    assert estimate(samples, "median").value_C == pytest.approx(np.median(samples, axis=1))
    assert estimate(samples, "iqm").value_C == pytest.approx(scipy.stats.trim_mean(samples, 0.25, axis=1))


@pytest.mark.parametrize("num", [1, 2, 5])
def test_fewer_than_six_runs_have_no_interval(num: int) -> None:
    few = estimate(np.arange(1.0, num + 1)[None], "mean")
    assert few.value_C[0] == (num + 1) / 2
    assert np.isnan(few.low_C[0])
    assert np.isnan(few.high_C[0])


@pytest.mark.parametrize("statistic", ["mean", "iqm", "median"])
def test_equal_runs_have_an_interval_of_no_width(statistic: Statistic) -> None:
    same = estimate(np.full((1, 12), 0.07), statistic)
    assert (same.low_C[0], same.value_C[0], same.high_C[0]) == pytest.approx((0.07, 0.07, 0.07), rel=1e-12)


def test_diverged_runs_are_infinite_and_the_median_stays_finite() -> None:
    samples = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, np.inf]])
    assert estimate(samples, "mean").value_C[0] == np.inf
    assert estimate(samples, "iqm").value_C[0] == pytest.approx(4.5)
    assert estimate(samples, "median").value_C[0] == pytest.approx(4.5)
    assert estimate(samples, "median").high_C[0] > 6
    everything = estimate(np.full((1, 8), np.inf), "iqm")
    assert (everything.value_C[0], everything.low_C[0], everything.high_C[0]) == (np.inf, np.inf, np.inf)


def test_an_interval_stays_within_the_range_of_the_sample() -> None:
    outlier = estimate(np.array([[1e-6 * (1 + i) for i in range(9)] + [1.0]]), "mean")
    assert 0 < outlier.low_C[0] < outlier.value_C[0] < outlier.high_C[0] <= 1.0


def test_the_same_runs_give_the_same_interval_whatever_their_order_and_their_neighbours() -> None:
    samples = np.random.default_rng(3).normal(size=(300, 9))
    alone = estimate(samples[7:8, ::-1], "iqm")
    among = estimate(samples, "iqm")
    assert alone.low_C[0] == pytest.approx(among.low_C[7], rel=1e-12)
    assert alone.high_C[0] == pytest.approx(among.high_C[7], rel=1e-12)


@pytest.mark.parametrize("statistic", ["mean", "iqm", "median"])
def test_bootstrap_and_normal_interval_agree_at_the_limit_between_them(
    statistic: Statistic, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = np.random.default_rng(5).normal(size=(3, 200))
    resampled = estimate(samples, statistic)
    monkeypatch.setattr(bootstrap, "MAX_BOOTSTRAP", 10)
    normal = estimate(samples, statistic)
    width = resampled.high_C - resampled.low_C
    assert np.abs(normal.low_C - resampled.low_C) == pytest.approx(0, abs=0.15 * width.max())
    assert np.abs(normal.high_C - resampled.high_C) == pytest.approx(0, abs=0.15 * width.max())


@pytest.mark.slow
@pytest.mark.parametrize("statistic", ["mean", "iqm", "median"])
@pytest.mark.parametrize("num", [10, 20])
def test_intervals_of_normal_samples_cover_the_truth_95_times_in_100(statistic: Statistic, num: int) -> None:
    samples = np.random.default_rng(11).normal(size=(2_000, num))
    found = estimate(samples, statistic)
    assert 0.93 <= np.mean((found.low_C <= 0) & (found.high_C >= 0)) <= 0.97


def test_a_paired_difference_cancels_the_shared_effect() -> None:
    rng = np.random.default_rng(2)
    seeds = 100 * rng.normal(size=20)
    found = mean_difference(seeds + 1 + 0.1 * rng.normal(size=20), seeds)
    assert 0.9 < found.low < found.value < found.high < 1.1


def test_a_mean_difference_has_students_interval() -> None:
    rng = np.random.default_rng(3)
    this, other = rng.normal(size=9), rng.normal(size=9)
    found = mean_difference(this, other)
    low, high = scipy.stats.ttest_rel(this, other).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert not mean_difference(this[:5], other[:5]).has_interval
    assert not mean_difference(np.ones(9), np.zeros(9)).has_interval


def test_the_geometric_mean_of_ratios_is_that_of_scipy() -> None:
    rng = np.random.default_rng(4)
    sooner, later = rng.integers(1, 30, 15).astype(float), rng.integers(1, 30, 15).astype(float)
    found = mean_ratio(later, sooner)
    assert found.value == pytest.approx(scipy.stats.gmean(later / sooner))
    swapped = mean_ratio(sooner, later)
    assert (1 / swapped.high, 1 / swapped.low) == pytest.approx((found.low, found.high))
