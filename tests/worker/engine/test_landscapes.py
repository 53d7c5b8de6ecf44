"""Shifted landscapes, and maps of starts."""

import itertools

import numpy as np
import pytest

from tests.groups import group_runs
from tests.worker.engine.training import History, surface, train
from worker.engine.problems import Quadratic
from worker.engine.protocols import Shift
from worker.engine.trainer import Plan, Trainer

MOMENTUM = ("momentum", {"lr": 0.02, "momentum": 0.8})


def quadratic(**more):
    return Quadratic([1.0, 20.0], [[3.0, -2.0], [1.0, 1.0]], [0, 1], angle=25, **more)


def test_a_moved_landscape_is_equal_to_a_moved_start():
    by = np.array([0.7, -1.1])
    history = train(quadratic(shift=Shift(4, by)), [MOMENTUM], 9)
    still = train(quadratic(), [MOMENTUM], 4)
    for field in ("loss", "grad_norm", "distance_to_minimum", "x"):
        np.testing.assert_array_equal(history[field][:4], still[field][:4])
    np.testing.assert_array_equal(history["x"][4], still["x"][4])

    weights, velocity = np.array([3.0, -2.0]), np.zeros(2)
    cos, sin = np.cos(np.radians(25)), np.sin(np.radians(25))
    turn = np.array([[cos, -sin], [sin, cos]])
    matrix = turn @ np.diag([1.0, 20.0]) @ turn.T
    for update in range(10):
        away = weights - (by if update >= 4 else 0)
        np.testing.assert_allclose(history["loss"][update, 0], away @ matrix @ away / 2, rtol=1e-12)
        np.testing.assert_allclose(history["distance_to_minimum"][update, 0], np.linalg.norm(away), rtol=1e-12)
        velocity = 0.8 * velocity + matrix @ away
        weights = weights - 0.02 * velocity


def test_a_surface_moves_too_with_noise_and_after_an_interruption():
    moving = surface("x**2 + 10*y**2", [[5, 2]], minima=[(0, 0)], noise=0.5, shift=Shift(3, np.array([1.0, 1.0])))
    plan = Plan(moving, group_runs([MOMENTUM], [0]), 8)
    undisturbed = Trainer(plan)
    whole = History(undisturbed, list(undisturbed.run()))
    x, y = whole["x"][:, 0], whole["y"][:, 0]
    moved = np.arange(9) >= 3
    np.testing.assert_allclose(whole["loss"][:, 0], (x - moved) ** 2 + 10 * (y - moved) ** 2, rtol=1e-12)
    for stop in (2, 4):
        first = Trainer(plan)
        before = list(itertools.islice(first.run(), stop))
        resumed = Trainer(plan, first.checkpoint())
        assert History(resumed, [*before, *resumed.run()]).of_runs([0]) == whole.of_runs([0])


@pytest.mark.parametrize("side", [40])
def test_a_map_of_starts_finds_all_four_basins_of_himmelblau(side):
    axis = np.linspace(-5, 5, side)
    starts = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    minima = np.array([(3, 2), (-2.805118, 3.131313), (-3.779310, -3.283186), (3.584428, -1.848127)])
    himmelblau = surface("(x**2 + y - 11)**2 + (x + y**2 - 7)**2", starts, minima=minima)
    history = train(himmelblau, [("sgd", {"lr": 0.005})], 300)
    ends = np.stack([history["x"][-1], history["y"][-1]], 1)
    away = np.linalg.norm(ends[:, None] - minima, axis=2)
    assert (away.min(1) < 1e-4).all()
    basins = np.bincount(away.argmin(1))
    assert len(basins) == 4
    assert basins.min() > side * side / 8
    # Near a minimum, a run ends in it.
    near = np.linalg.norm(starts[:, None] - minima, axis=2)
    inside = near.min(1) < 0.5
    np.testing.assert_array_equal(away.argmin(1)[inside], near.argmin(1)[inside])
