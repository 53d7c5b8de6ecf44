"""Importance of hyper-parameters: the share of the variance of ranks that each explains alone."""

import numpy as np

from service.analysis.importance import variance_share


def test_a_hyper_parameter_that_decides_everything_explains_nearly_everything() -> None:
    values = np.repeat([1.0, 2.0, 3.0], 20)
    assert variance_share(values, values) == 1.0
    many = np.linspace(0, 1, 400)
    assert variance_share(many, (many - 0.5) ** 2) > 0.9


def test_a_hyper_parameter_without_influence_explains_nothing_on_average() -> None:
    draw = np.random.default_rng(0)
    shares = [variance_share(draw.random(32), draw.random(32)) for _ in range(500)]
    # Clipped at 0, so slightly above it.
    assert np.mean(shares) < 0.05
    assert np.median(shares) == 0.0


def test_additive_influences_have_shares_in_proportion_to_their_variances() -> None:
    draw = np.random.default_rng(1)
    a, b = draw.integers(0, 4, size=(2, 20_000)).astype(np.float64)
    scores = 2 * a + b + draw.normal(scale=0.01, size=20_000)
    first, second = variance_share(a, scores), variance_share(b, scores)
    assert abs(first - 0.8) < 0.03
    assert abs(second - 0.2) < 0.03


def test_diverged_settings_count_as_equally_bad_and_the_scale_of_scores_does_not_matter() -> None:
    draw = np.random.default_rng(2)
    rates = draw.random(64)
    scores = np.where(rates > 0.5, np.inf, rates)
    assert variance_share(rates, scores) > 0.9
    finite = np.where(np.isinf(scores), 1e300, scores)
    assert variance_share(rates, scores) == variance_share(rates, finite) == variance_share(rates, finite**0.01)


def test_equal_scores_or_too_few_settings_have_no_importance() -> None:
    assert variance_share(np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4)) == 0.0
    assert variance_share(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0.0
    assert variance_share(np.ones(5), np.arange(5.0)) == 0.0
