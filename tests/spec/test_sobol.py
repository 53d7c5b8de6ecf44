"""The points of searches are those of SciPy's scrambled Sobol sequence, number for number."""

import numpy as np
import pytest
from scipy.stats import qmc

from service.spec.sobol import MAX_DIMENSIONS, sobol


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("seed", [0, 1, 987_654_321, 2**32 - 1])
@pytest.mark.parametrize("num_dimensions", [1, 2, 3, 8, MAX_DIMENSIONS])
def test_points_are_those_of_scipy(num_dimensions: int, seed: int) -> None:
    for exponent in (0, 1, 5, 11):
        points = qmc.Sobol(num_dimensions, scramble=True, rng=seed).random_base2(exponent)
        np.testing.assert_array_equal(sobol(2**exponent, num_dimensions, seed), points)
        # The first of more points.
        np.testing.assert_array_equal(sobol(2**exponent // 2 + 1, num_dimensions, seed), points[: 2**exponent // 2 + 1])


def test_more_dimensions_than_the_table_has_are_refused() -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_DIMENSIONS}"):
        sobol(4, MAX_DIMENSIONS + 1, 0)
