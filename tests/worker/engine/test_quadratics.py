"""Methods on quadratics against theory: closed forms, limits of stability, best rates, velocity of momentum."""

import numpy as np
import pytest
import torch

from service.spec.formulas.expression import parse
from tests.groups import group_runs
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.problems import Quadratic, Surface
from worker.engine.trainer import Plan, Trainer

RAVINE = np.array([2.0, 20.0])
START = np.array([5.0, 2.0])


def train(problem, optimizers, epochs):
    """The fields of one run per optimizer, each an array [epochs, runs]; NaN after a run has diverged."""
    trainer = Trainer(Plan(problem, group_runs(optimizers, range(len(optimizers))), epochs))
    values = [epoch.values_FR for epoch in trainer.run()]
    return dict(zip(trainer.fields, np.stack(values, axis=1), strict=True))


def ravine(optimizers, epochs, start=START):
    problem = Surface(parse("x**2 + 10*y**2"), [start] * len(optimizers), [0] * len(optimizers), minima=[(0, 0)])
    return train(problem, optimizers, epochs)


def quadratic(eigenvalues, optimizers, epochs, start=None):
    start = np.ones(len(eigenvalues)) if start is None else start
    return train(Quadratic(eigenvalues, [start] * len(optimizers), [0] * len(optimizers)), optimizers, epochs)


def heavy_ball(lr, beta):
    return ("momentum", {"lr": lr, "momentum": beta})


def nesterov(lr, beta):
    return ("nesterov", {"lr": lr, "momentum": beta})


def test_gradient_descent_on_the_ravine_follows_its_closed_form_at_three_rates():
    rates = [0.005, 0.015, 0.04]
    history = ravine([("sgd", {"lr": lr}) for lr in rates], 60)
    k = np.arange(61)
    for run, lr in enumerate(rates):
        np.testing.assert_allclose(history["x"][:, run], 5 * (1 - 2 * lr) ** k, rtol=1e-13)
        np.testing.assert_allclose(history["y"][:, run], 2 * (1 - 20 * lr) ** k, rtol=1e-12)


def test_across_the_ravine_the_sign_alternates_from_lr_0_05_and_at_0_05_one_step_suffices():
    history = ravine([("sgd", {"lr": lr}) for lr in (0.049, 0.05, 0.051)], 10)
    y = history["y"]
    assert (y[:, 0] > 0).all()
    np.testing.assert_allclose(y[1:, 1], 0, atol=2e-16)  # 0.05 itself is rounded, so a last bit remains.
    assert (np.sign(y[:, 2]) == (-1.0) ** np.arange(11)).all()


def test_at_lr_0_1_the_ravine_neither_shrinks_nor_grows():
    y = ravine([("sgd", {"lr": 0.1})], 200)["y"][:, 0]
    np.testing.assert_allclose(np.abs(y), 2, rtol=1e-12)


LIMITS = {
    "sgd": lambda beta: 2,
    "momentum": lambda beta: 2 * (1 + beta),
    "nesterov": lambda beta: 2 * (1 + beta) / (1 + 2 * beta),
}


@pytest.mark.slow
def test_a_method_converges_just_inside_its_limit_of_stability_and_diverges_just_outside():
    largest, shares = 20.0, (0.99, 1.01)
    methods = [(kind, beta) for kind in LIMITS for beta in ((0.0,) if kind == "sgd" else (0.1, 0.5, 0.9, 0.99))]
    optimizers = [
        (kind, {"lr": share * LIMITS[kind](beta) / largest, **({} if kind == "sgd" else {"momentum": beta})})
        for kind, beta in methods
        for share in shares
    ]
    distance = quadratic(np.array([largest]), optimizers, 4000)["distance_to_minimum"]
    inside, outside = distance[-1, ::2], distance[-1, 1::2]
    for method, within, without in zip(methods, inside, outside, strict=True):
        assert within < 1e-3, method
        assert np.isnan(without), f"the run of {method} outside of the limit has not diverged"


def test_the_limits_on_the_ravine_are_those_of_the_table():
    assert [LIMITS["momentum"](beta) / 20 for beta in (0.9, 0.5, 0.99)] == pytest.approx([0.19, 0.15, 0.199])
    assert [LIMITS["nesterov"](beta) / 20 for beta in (0.9, 0.5)] == pytest.approx([0.0678571, 0.075], abs=5e-8)


@pytest.mark.slow
def test_dampening_by_beta_is_the_heavy_ball_with_a_smaller_rate():
    beta, lr = 0.9, 0.15
    dampened = ("momentum", {"lr": lr, "momentum": beta, "dampening": beta})
    limit = 2 * (1 + beta) / ((1 - beta) * 20)
    assert limit == pytest.approx(1.9)
    inside, outside = (("momentum", {"lr": s * limit, "momentum": beta, "dampening": beta}) for s in (0.99, 1.01))
    history = quadratic(np.array([20.0]), [dampened, heavy_ball(lr * (1 - beta), beta), inside, outside], 4000)
    distance = history["distance_to_minimum"]
    # The first step is larger, as torch starts the velocity at the whole gradient, so only the rate of decay is equal.
    decay = [(distance[150, run] / distance[50, run]) ** (1 / 100) for run in (0, 1)]
    assert decay == pytest.approx([np.sqrt(beta)] * 2, abs=0.005)
    assert distance[-1, 2] < 1e-3
    assert np.isnan(distance[-1, 3])


def test_the_best_constant_rate_gives_the_best_worst_case():
    best = 2 / (2 + 20)
    optimizers = [("sgd", {"lr": lr}) for lr in (best, 0.95 * best, 1.05 * best)]
    distance = ravine(optimizers, 100, start=(1, 1))["distance_to_minimum"]
    rates = (distance[100] / distance[50]) ** (1 / 50)
    assert rates[0] == pytest.approx(9 / 11, rel=1e-10)
    assert (rates[1:] > rates[0]).all()


def test_the_best_heavy_ball_converges_at_the_rate_of_theory():
    root_l, root_mu = np.sqrt(20), np.sqrt(2)
    lr, rate = (2 / (root_l + root_mu)) ** 2, (np.sqrt(10) - 1) / (np.sqrt(10) + 1)
    assert (lr, rate**2, rate) == pytest.approx((0.1154431, 0.2698739, 0.5194939), abs=5e-8)
    distance = ravine([heavy_ball(lr, rate**2)], 48)["distance_to_minimum"][:, 0]
    # A double root: the error is (a + b·k) · rate^k, so that its ratio to rate^k grows along a straight line.
    k = np.array([8, 16, 24, 32, 40, 48])
    line = distance[k] / rate**k
    np.testing.assert_allclose(np.diff(line), np.diff(line).mean(), rtol=1e-3)
    assert np.diff(line).mean() > 0


def test_the_best_nesterov_converges_at_the_rate_of_theory():
    root = np.sqrt(3 * 10 + 1)
    lr, beta, rate = 4 / (3 * 20 + 2), (root - 2) / (root + 2), 1 - 2 / root
    assert (lr, beta, rate) == pytest.approx((0.0645161, 0.4714423, 0.6407894), abs=5e-8)
    distance = ravine([nesterov(lr, beta)], 80)["distance_to_minimum"][:, 0]
    # The slowest root is double here too: distance ~ k · rate^k.
    measured = (distance[80] / 80 / (distance[40] / 40)) ** (1 / 40)
    assert measured == pytest.approx(rate, abs=5e-3)


@pytest.mark.parametrize("beta", [0.3, 0.5, 0.9])
def test_oscillating_roots_have_the_modulus_of_theory(beta):
    # One eigenvalue: the determinant of two successive states shrinks by the square of the roots' modulus each update.
    lr, eigenvalue = 0.05, 20.0
    distance = quadratic(np.array([eigenvalue]), [heavy_ball(lr, beta), nesterov(lr / 2, beta)], 60)["x"]
    products = distance[:-2] * distance[2:] - distance[1:-1] ** 2
    squared = products[1:40] / products[:39]
    np.testing.assert_allclose(squared[:, 0], beta, rtol=1e-6)
    np.testing.assert_allclose(squared[:, 1], beta * (1 - lr / 2 * eigenvalue), rtol=1e-6)


def crossings(x):
    return int((np.sign(x[1:]) != np.sign(x[:-1])).sum())


@pytest.mark.parametrize(
    ("method", "product", "critical"),
    [(heavy_ball, 0.25, 0.25), (nesterov, 0.04, 2 / 3)],
)
def test_above_the_critical_momentum_a_run_oscillates_and_below_it_does_not(method, product, critical):
    lr = product / 20
    x = quadratic(np.array([20.0]), [method(lr, critical - 0.02), method(lr, critical + 0.02)], 200)["x"]
    assert crossings(x[:, 0]) == 0
    assert crossings(x[:, 1]) >= 2


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("beta", [0.5, 0.9, 0.95, 0.99])
def test_under_a_constant_gradient_the_velocity_grows_to_one_over_one_minus_beta(beta):
    # On the slope f = x with lr 1, each step is the velocity.
    problem = Surface(parse("x"), [[0.0]], [0])
    x = train(problem, [heavy_ball(1.0, beta)], 2000)["x"][:, 0]
    k = np.arange(1, 2001)
    np.testing.assert_allclose(-np.diff(x), (1 - beta**k) / (1 - beta), rtol=1e-9)


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.99])
def test_under_an_alternating_gradient_the_velocity_shrinks_to_one_over_one_plus_beta(beta):
    velocity = torch.zeros(1, 1, dtype=torch.float64)
    rows = {"lr": torch.ones(1, dtype=torch.float64), "momentum": torch.tensor([beta], dtype=torch.float64)}
    for step in range(3000):
        gradient = torch.full((1, 1), (-1.0) ** step, dtype=torch.float64)
        _, state = OPTIMIZERS["momentum"].update(gradient, gradient, {"velocity": velocity}, rows, frozenset())
        velocity = state["velocity"]
    assert abs(velocity.item()) == pytest.approx(1 / (1 + beta), rel=1e-9)


@pytest.mark.parametrize("offset", [1e-1, 1e-3, 1e-9])
def test_gradient_descent_leaves_a_saddle_when_theory_says(offset):
    lr, radius = 0.01, 1.0
    problem = Surface(parse("x**2 - y**2"), [[1.5, offset], [1.5, 0.0]], [0, 0])
    steps = int(np.ceil(np.log(radius / offset) / np.log(1 + 2 * lr)))
    y = train(problem, [("sgd", {"lr": lr})] * 2, steps + 5)["y"]
    np.testing.assert_allclose(y[:, 0], offset * 1.02 ** np.arange(steps + 6), rtol=1e-11)
    assert int(np.argmax(np.abs(y[:, 0]) >= radius)) == steps
    assert (y[:, 1] == 0).all(), "a run that starts exactly on the ridge stays on it"
