"""Measures of paths, against values computed by hand: a zig-zag, a straight line and a diverging path."""

import numpy as np
import pytest

from service.analysis.paths import trace

ORIGIN = np.zeros((1, 2))


def test_a_zig_zag_changes_sign_turns_back_and_overshoots() -> None:
    path = trace(np.array([[4.0, 1.0], [3.0, -0.5], [2.0, 0.25], [0.0, 0.0]]), ORIGIN)
    assert path.sign_changes == (0, 2)
    assert path.overshoot == (0.0, 0.5)
    assert path.minimum == 0
    assert path.turning_angle > 60
    assert path.detour > 1


def test_a_straight_line_has_turning_angle_0() -> None:
    path = trace(np.array([[4.0, 4.0], [3.0, 3.0], [1.0, 1.0], [0.1, 0.1]]), ORIGIN)
    assert path.turning_angle == pytest.approx(0, abs=1e-5)
    assert path.detour == pytest.approx(1)
    assert path.length == pytest.approx(3.9 * np.sqrt(2))


def test_a_path_ends_in_the_nearest_minimum_or_in_none() -> None:
    minima = np.array([[-1.0, 0.0], [1.0, 0.0]])
    assert trace(np.array([[3.0, 0.0], [1.1, 0.0]]), minima).minimum == 1
    assert trace(np.array([[3.0, 0.0], [2.0, 0.0]]), minima).minimum is None
    assert trace(np.array([[3.0, 0.0], [2.0, 0.0]]), np.empty((0, 2))).minimum is None


def test_a_path_that_leaves_float64_ends_there() -> None:
    path = trace(np.array([[1.0], [-2.0], [np.inf]]), np.zeros((1, 1)))
    assert path.sign_changes == (1,)
    assert path.overshoot == (2.0,)
    assert path.length == 3.0
    assert np.isnan(path.turning_angle)
