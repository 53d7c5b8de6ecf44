"""With gradient noise each method has the stationary variance of theory."""

import numpy as np
import pytest

from tests.groups import group_runs
from worker.engine.problems import Quadratic
from worker.engine.trainer import Plan, Trainer

LR, CURVATURE, BETA, NOISE = 0.05, 2.0, 0.9, 1.0
RUNS = 2000


def heavy_ball(lr, eigenvalue, beta):
    return lr * (1 + beta) / (eigenvalue * (1 - beta) * (2 * (1 + beta) - lr * eigenvalue))


def nesterov(lr, eigenvalue, beta):
    step = lr * eigenvalue
    above = lr * (1 + beta + step * beta + 2 * step * beta**2)
    return above / (eigenvalue * (1 - beta + step * beta) * (2 * (1 + beta) - step * (1 + 2 * beta)))


METHODS = {
    "sgd": ({}, LR / (CURVATURE * (2 - LR * CURVATURE))),
    "momentum": ({"momentum": BETA}, heavy_ball(LR, CURVATURE, BETA)),
    "nesterov": ({"momentum": BETA}, nesterov(LR, CURVATURE, BETA)),
}


def settled(kind, batch_size=1):
    """The positions of 2,000 runs with different seeds, 300 updates after a start at the minimum."""
    problem = Quadratic([CURVATURE], np.zeros((RUNS, 1)), np.arange(RUNS), noise=NOISE, batch_size=batch_size)
    groups = group_runs([(kind, {"lr": LR, **METHODS[kind][0]})], np.zeros(RUNS, int))
    trainer = Trainer(Plan(problem, groups, 300, record_every=300))
    *_, last = trainer.run()
    return dict(zip(trainer.fields, last.values_FR, strict=True))


def test_the_formulas_give_the_numbers_of_the_table():
    found = [variance for _, variance in METHODS.values()]
    assert found == pytest.approx([0.0131579, 0.1283784, 0.0804426], abs=5e-8)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("kind", METHODS)
def test_runs_settle_at_the_variance_of_theory_divided_by_the_batch_size(kind, batch_size):
    fields = settled(kind, batch_size)
    variance = METHODS[kind][1] * NOISE**2 / batch_size
    # The sum of squares of n normal numbers has a relative standard deviation of √(2/n): 3 % here. Five of them.
    bound = 5 * np.sqrt(2 / RUNS)
    assert (fields["x"] ** 2).mean() == pytest.approx(variance, rel=bound)
    assert fields["loss"].mean() == pytest.approx(CURVATURE * variance / 2, rel=bound)
    assert abs(fields["x"].mean()) < 5 * np.sqrt(variance / RUNS)
