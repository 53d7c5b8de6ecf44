"""Number of seeds at which a difference of a given size is found."""

import numpy as np
import pytest

from service.analysis.sample_size import seeds_to_find
from service.analysis.simultaneous import MIN_SEEDS, compare_pairs


def needed(difference: float, alpha: float = 0.05) -> float:
    return float(seeds_to_find(np.array([difference]), np.ones(1), alpha, MIN_SEEDS)[0])


@pytest.mark.slow
@pytest.mark.parametrize("difference", [0.25, 0.5, 1.0])
def test_that_many_seeds_find_the_difference_in_four_of_five_draws(difference: float) -> None:
    num, draw = int(needed(difference)), np.random.default_rng(0)
    found = 0
    for _ in range(1_000):
        values_NK = np.stack([np.zeros(num), draw.normal(difference, size=num)], axis=1)
        found += bool(compare_pairs(values_NK).differs_M[0])
    assert 0.76 < found / 1_000 < 0.85


def test_known_sample_sizes_are_met() -> None:
    # Two-sided paired t tests with 80 % power at level 0.05: Cohen, Statistical Power Analysis, 1988.
    assert needed(0.5) == 34
    assert needed(1.0) in (10, 11)
    assert needed(0.2) in (198, 199)


def test_more_pairs_need_more_seeds_and_a_claim_needs_six() -> None:
    assert needed(0.5, 0.05 / 190) > needed(0.5)
    assert needed(100.0) == MIN_SEEDS


@pytest.mark.parametrize(("difference", "deviation"), [(0.0, 1.0), (1.0, 0.0), (1e-9, 1.0), (np.nan, 1.0), (0.0, 0.0)])
def test_where_no_number_of_seeds_can_be_given_there_is_none(difference: float, deviation: float) -> None:
    assert np.isnan(seeds_to_find(np.array([difference]), np.array([deviation]), 0.05, MIN_SEEDS)).all()
