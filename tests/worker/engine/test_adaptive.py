"""Properties of methods that scale each parameter: first steps, invariances, weight decay."""

import numpy as np
import pytest

from service.spec.formulas.expression import parse
from tests.groups import group_runs
from worker.engine.problems import Surface
from worker.engine.trainer import Plan, Trainer


def path(formula, start, optimizer, epochs):
    """The points [epochs, 2] of one run."""
    trainer = Trainer(Plan(Surface(parse(formula), [start], [0]), group_runs([optimizer], [0]), epochs))
    values = np.stack([epoch.values_FR[:, 0] for epoch in trainer.run()])
    return values[:, [trainer.fields.index("x"), trainer.fields.index("y")]]


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_adams_first_step_is_lr_in_each_coordinate(kind):
    lr, eps = 0.1, 1e-8
    start = np.array([5.0, -0.002])
    points = path("x**2 + 10*y**2", start, (kind, {"lr": lr, "eps": eps, "weight_decay": 0.0}), 1)
    gradient = np.array([2, 20]) * start
    np.testing.assert_allclose(points[1] - start, -lr * gradient / (np.abs(gradient) + eps), rtol=1e-12)
    np.testing.assert_allclose(np.abs(points[1] - start), lr, rtol=1e-6)


@pytest.mark.parametrize("alpha", [0.9, 0.99, 0.999])
def test_rmsprops_first_step_is_lr_over_the_root_of_one_minus_alpha(alpha):
    start = np.array([5.0, -2.0])
    points = path("x**2 + 10*y**2", start, ("rmsprop", {"lr": 0.01, "alpha": alpha, "eps": 0.0}), 1)
    np.testing.assert_allclose(points[1] - start, -np.sign(start) * 0.01 / np.sqrt(1 - alpha), rtol=1e-12)


def test_adagrads_first_step_is_lr_and_steps_on_a_slope_shrink_like_one_over_root_t():
    points = path("3*x + 0*y", [0, 0], ("adagrad", {"lr": 0.1, "eps": 0.0}), 50)
    np.testing.assert_allclose(-np.diff(points[:, 0]), 0.1 / np.sqrt(np.arange(1, 51)), rtol=1e-10)


@pytest.mark.parametrize(
    "other", ["1000*(x**2 + 10*y**2)", "x**2 + 0.001*y**2"], ids=["the loss times 1000", "one gradient times 1e-4"]
)
def test_with_eps_0_adam_does_not_depend_on_a_constant_factor(other):
    optimizer = ("adam", {"lr": 0.1, "eps": 0.0})
    expected = path("x**2 + 10*y**2", [5, 2], optimizer, 100)
    np.testing.assert_allclose(path(other, [5, 2], optimizer, 100), expected, rtol=1e-6, atol=1e-9)


def test_from_equal_coordinates_adam_keeps_them_equal_on_the_ravine_and_gradient_descent_does_not():
    points = path("x**2 + 10*y**2", [3, -3], ("adam", {"lr": 0.1, "eps": 0.0}), 100)
    np.testing.assert_allclose(points[:, 0], -points[:, 1], rtol=1e-7, atol=1e-10)
    descended = path("x**2 + 10*y**2", [3, -3], ("sgd", {"lr": 0.02}), 10)
    assert abs(descended[-1, 1]) < 0.1 * abs(descended[-1, 0])


def test_decoupled_weight_decay_shrinks_weights_where_the_loss_is_flat():
    points = path("0*x + 0*y", [5, 2], ("adamw", {"lr": 0.1, "weight_decay": 0.5}), 20)
    np.testing.assert_allclose(points[:, 0], 5 * 0.95 ** np.arange(21), rtol=1e-12)


def test_coupled_weight_decay_is_a_penalty_on_the_squared_norm():
    decayed = path("x**2 + 10*y**2", [5, 2], ("adam", {"lr": 0.1, "weight_decay": 0.3}), 50)
    penalised = path("x**2 + 10*y**2 + 0.15*(x**2 + y**2)", [5, 2], ("adam", {"lr": 0.1}), 50)
    np.testing.assert_allclose(decayed, penalised, rtol=1e-9)
