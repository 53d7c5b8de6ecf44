"""Estimates and their intervals, against scipy and known properties of distributions."""

import numpy as np
import pytest
import scipy.stats

from service.analysis import bootstrap
from service.analysis.bootstrap import Statistic, estimate, student_quantile
from service.analysis.pairs import geometric_mean_ratio, paired_difference, probability_of_improvement, speed_up


@pytest.mark.parametrize("num", [1, 2, 3, 4, 7, 10, 23, 201])
def test_estimates_are_those_of_scipy(num: int) -> None:
    samples = np.random.default_rng(num).lognormal(size=(4, num))
    assert estimate(samples, "mean").value_C == pytest.approx(samples.mean(axis=1))
    assert estimate(samples, "median").value_C == pytest.approx(np.median(samples, axis=1))
    assert estimate(samples, "iqm").value_C == pytest.approx(scipy.stats.trim_mean(samples, 0.25, axis=1))


@pytest.mark.parametrize("freedom", range(1, 60))
def test_student_quantiles_are_those_of_scipy(freedom: int) -> None:
    assert student_quantile(freedom) == pytest.approx(scipy.stats.t.ppf(0.975, freedom), rel=1e-3)


def test_one_run_has_no_interval() -> None:
    alone = estimate(np.array([[3.0]]), "mean")
    assert alone.value_C[0] == 3.0
    assert np.isnan(alone.low_C[0])
    assert np.isnan(alone.high_C[0])


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


@pytest.mark.parametrize("statistic", ["mean", "iqm", "median"])
@pytest.mark.parametrize("num", [10, 20])
def test_intervals_of_normal_samples_cover_the_truth_95_times_in_100(statistic: Statistic, num: int) -> None:
    samples = np.random.default_rng(11).normal(size=(2_000, num))
    found = estimate(samples, statistic)
    assert 0.93 <= np.mean((found.low_C <= 0) & (found.high_C >= 0)) <= 0.97


def test_a_paired_difference_cancels_the_shared_effect() -> None:
    rng = np.random.default_rng(2)
    seeds = 100 * rng.normal(size=20)
    found = paired_difference(seeds + 1 + 0.1 * rng.normal(size=20), seeds)
    assert 0.9 < found.low < found.value < found.high < 1.1
    both_diverged = paired_difference(np.array([np.inf, 2.0]), np.array([np.inf, 1.0]))
    assert both_diverged.value == 0.5


def test_the_geometric_mean_of_ratios_is_that_of_scipy() -> None:
    rng = np.random.default_rng(4)
    sooner, later = rng.integers(1, 30, 15).astype(float), rng.integers(1, 30, 15).astype(float)
    found = geometric_mean_ratio(later, sooner)
    assert found.value == pytest.approx(scipy.stats.gmean(later / sooner))
    swapped = geometric_mean_ratio(sooner, later)
    assert (1 / swapped.high, 1 / swapped.low) == pytest.approx((found.low, found.high), rel=0.05)


def test_a_speed_up_counts_misses_of_the_target() -> None:
    found = speed_up(np.array([5.0, 10.0, np.inf, 4.0, np.inf, 0.0]), np.array([10.0, 40.0, 7.0, np.inf, np.inf, 0.0]))
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(np.sqrt(8))
    assert (found.both, found.only_this, found.only_baseline, found.neither) == (3, 1, 1, 1)
    assert found.median_ratio == 3.0
    nothing = speed_up(np.array([np.inf]), np.array([np.inf]))
    assert nothing.ratio is None
    assert nothing.median_ratio is None


def test_the_probability_of_improvement_is_the_mann_whitney_statistic() -> None:
    rng = np.random.default_rng(6)
    this, baseline = rng.integers(0, 9, 30).astype(float), rng.integers(4, 13, 30).astype(float)
    found = probability_of_improvement(this, baseline)
    expected = scipy.stats.mannwhitneyu(baseline, this).statistic / 900
    assert found.value == pytest.approx(expected)
    assert 0.5 < found.low < found.value < found.high < 1


def test_the_probability_of_improvement_of_many_runs_has_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    this, baseline = rng.normal(size=200), rng.normal(0.2, size=200)
    resampled = probability_of_improvement(this, baseline)
    monkeypatch.setattr("service.analysis.pairs.MAX_BOOTSTRAP", 10)
    normal = probability_of_improvement(this, baseline)
    assert normal.value == pytest.approx(resampled.value)
    assert normal.low == pytest.approx(resampled.low, abs=0.01)
    assert normal.high == pytest.approx(resampled.high, abs=0.01)
