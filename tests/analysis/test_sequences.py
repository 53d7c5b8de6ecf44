"""Confidence sequences of a mean and of a share: their formulas, their limits, and how often they miss."""

from math import log, sqrt

import numpy as np
import pytest
from scipy import special, stats

from service.analysis.sequences import (
    SHARPEST,
    half_widths,
    log_evidence,
    mean_sequence,
    prefix_moments,
    prior_variance,
    share_sequence,
)

ALPHA = 0.05


def drawn(num: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(1.0, 2.0, size=num)


def evidence(t: float, num: int, variance: float) -> float:
    """Average the likelihood ratio of the t statistic over standardized means, by numerical integration."""
    means = np.linspace(-7, 7, 2_001) * sqrt(variance)
    likelihoods = stats.nct.pdf(t, num - 1, means * sqrt(num)) * stats.norm.pdf(means, scale=sqrt(variance))
    return float(np.trapezoid(likelihoods, means) / stats.t.pdf(t, num - 1))


@pytest.mark.parametrize(("t", "num"), [(0.3, 6), (2.5, 12), (-4.0, 40)])
def test_the_evidence_is_the_average_likelihood_ratio_of_the_t_statistic(t: float, num: int) -> None:
    found = log_evidence(np.array(t), np.array(sqrt(num)), num, ALPHA)
    assert np.exp(found) == pytest.approx(evidence(t, num, prior_variance(ALPHA)), rel=1e-5)


def test_an_interval_ends_where_the_evidence_against_a_mean_reaches_one_over_alpha() -> None:
    values = drawn(40)
    low, high = mean_sequence(values, 1 - ALPHA)
    for num in (10, 40):
        seen = values[:num]
        for end in (low[num - 1], high[num - 1]):
            t = sqrt(num) * (seen.mean() - end) / seen.std(ddof=1)
            assert evidence(t, num, prior_variance(ALPHA)) == pytest.approx(1 / ALPHA, rel=1e-4)


def test_for_many_seeds_it_is_the_asymptotic_confidence_sequence() -> None:
    for alpha in (0.05, 0.001):
        num, variance = 200_000, prior_variance(alpha)
        growth = num * variance + 1
        # The boundary of Waudby-Smith et al.
        published = sqrt(2 * growth / (num**2 * variance) * log(sqrt(growth) / alpha))
        assert half_widths(num, alpha)[0] == pytest.approx(published, rel=1e-3)


@pytest.mark.parametrize("alpha", [0.05, 0.005, 0.05 / 2016])
def test_the_tuning_is_within_a_tenth_of_the_narrowest_at_20_to_500_seeds(alpha: float) -> None:
    for num in (20, SHARPEST, 100, 500):
        variances = np.geomspace(1e-3, 20, 400)
        growth = 1 + num * variances
        room = 1 - (growth / alpha**2) ** (1 / num) / growth
        squared = (num - 1) / num * ((growth / alpha**2) ** (1 / num) - 1) / np.where(room > 0, room, np.nan)
        assert half_widths(num, alpha)[0] <= 1.1 * sqrt(np.nanmin(squared))


def test_an_interval_depends_on_no_later_seed() -> None:
    values = np.random.default_rng(3).standard_cauchy((100, 4))
    whole = mean_sequence(values, 0.95)
    for num in (6, 37, 99):
        for part, all_of_it in zip(mean_sequence(values[:num], 0.95), whole, strict=True):
            assert part.tobytes() == all_of_it[:num].tobytes()


def test_there_is_no_interval_before_the_first_look_or_six_seeds_and_none_without_spread() -> None:
    low, high = mean_sequence(drawn(30), 0.95, first_look=20)
    assert np.isinf(low[:19]).all()
    assert np.isfinite([low[19], high[19]]).all()
    assert np.isinf(mean_sequence(drawn(5), 0.2)[0]).all()
    assert np.isinf(mean_sequence(np.full(30, 0.1), 0.95)[0]).all()
    # Equal differences of unequal values differ by rounding only.
    assert np.isinf(mean_sequence(drawn(30) + 0.1 - drawn(30), 0.95)[0]).all()


def test_moments_of_prefixes_are_exact_far_from_zero_and_after_an_outlier() -> None:
    for values in (drawn(50) + 1e8, np.concatenate([[1e6], drawn(50) * 1e-3])):
        mean, deviation = prefix_moments(values)
        for num in (2, 10, len(values)):
            assert mean[num - 1] == pytest.approx(values[:num].mean(), rel=1e-12)
            assert deviation[num - 1] == pytest.approx(values[:num].std(ddof=1), rel=1e-7)


def test_a_mean_is_ever_missed_in_at_most_one_of_twenty_draws() -> None:
    for draw in (np.random.default_rng(1).normal, np.random.default_rng(2).standard_cauchy):
        low, high = mean_sequence(draw(size=(300, 1_000)), 0.95)
        # 5 % and three standard errors.
        assert ((low > 0) | (high < 0)).any(axis=0).sum() <= 50 + 21


def test_without_ties_the_capital_of_a_share_is_that_of_the_beta_mixture() -> None:
    num = 40
    wins = np.array([0, 3, 20, 37, 40])
    found = share_sequence(wins, np.zeros(5), num, ALPHA)
    assert found.value_M.tolist() == (wins / num).tolist()
    for ends, inner in ((found.low_M, wins > 0), (found.high_M, wins < num)):
        won, share = wins[inner], ends[inner]
        # The capital of a bet on q, averaged over the arcsine distribution of q (Robbins, 1970).
        capital = special.betaln(won + 0.5, num - won + 0.5) - special.betaln(0.5, 0.5)
        capital -= won * np.log(share) + (num - won) * np.log1p(-share)
        assert capital == pytest.approx(np.full(len(won), -log(ALPHA)), abs=1e-6)
    assert found.low_M[0] == 0
    assert found.high_M[-1] == 1


def test_with_ties_the_interval_holds_the_shares_at_which_no_capital_is_reached() -> None:
    quantiles = (np.sin(np.pi * (np.arange(128) + 0.5) / 256) ** 2)[:, None]
    outcomes = np.array([1.0] * 12 + [0.5] * 9 + [0.0] * 4)
    shares = np.linspace(0.001, 0.999, 999)
    stakes = (quantiles - shares) / (shares * (1 - shares))
    capital = np.prod([1 + stakes * (outcome - shares) for outcome in outcomes], axis=0).mean(axis=0)
    inside = shares[capital < 1 / ALPHA]
    found = share_sequence([12], [9], 25, ALPHA)
    assert found.value_M[0] == 16.5 / 25
    assert (found.low_M[0], found.high_M[0]) == pytest.approx((inside[0], inside[-1]), abs=1.1e-3)


def test_ties_make_the_interval_of_a_share_narrower() -> None:
    half, tied = share_sequence([50], [0], 100, ALPHA), share_sequence([0], [100], 100, ALPHA)
    assert tied.value_M[0] == half.value_M[0] == 0.5
    assert tied.high_M[0] - tied.low_M[0] < (half.high_M[0] - half.low_M[0]) / 2


def test_a_share_is_ever_missed_in_at_most_one_of_twenty_draws() -> None:
    for share in (0.5, 0.95):
        wins = np.cumsum(np.random.default_rng(4).random((200, 1_000)) < share, axis=0)
        missed = np.zeros(1_000, dtype=bool)
        for num in range(1, 201, 14):
            found = share_sequence(wins[num - 1], np.zeros(1_000), num, ALPHA)
            missed |= (found.low_M > share) | (found.high_M < share)
        assert missed.sum() <= 50 + 21


def test_without_seeds_there_is_no_share() -> None:
    found = share_sequence([0, 0], [0, 0], 0, ALPHA)
    assert np.isnan([found.value_M, found.low_M, found.high_M]).all()
