"""Learning rate in the momentum update, smallest loss of a linear map of rank 3, variance of batch gradients."""

import itertools

import numpy as np
import pytest

from service.spec.formulas.expression import parse
from tests.groups import group_runs
from worker.engine.problems import Surface
from worker.engine.stack.schedule import Schedule
from worker.engine.trainer import Plan, Trainer

LR, BETA, JUMP = 0.01, 0.9, 10


def test_the_rate_stands_outside_the_velocity_which_matters_as_soon_as_it_changes() -> None:
    halved = Schedule("piecewise", (("boundaries", (float(JUMP),)), ("factors", (0.5,))), "update", 0, 1.0, "linear")
    groups = group_runs([("momentum", {"lr": LR, "momentum": BETA})], [0], [(halved, Schedule())])
    trainer = Trainer(Plan(Surface(parse("x**2"), [[5.0]], [0]), groups, 40))
    at = trainer.fields.index("x")
    found = np.array([epoch.values_FR[at, 0] for epoch in trainer.run()])

    def path(*, inside: bool) -> np.ndarray:
        w, v, points = 5.0, 0.0, [5.0]
        for step in range(40):
            lr = LR if step < JUMP else LR / 2
            v = BETA * v + (lr if inside else 1.0) * 2 * w
            w -= v if inside else lr * v
            points.append(w)
        return np.array(points)

    np.testing.assert_allclose(found, path(inside=False), rtol=1e-12)
    older = path(inside=True)
    np.testing.assert_allclose(older[: JUMP + 1], found[: JUMP + 1], rtol=1e-12)
    assert abs(older[JUMP + 1] - found[JUMP + 1]) > 0.1


def test_the_best_linear_map_of_rank_3_leaves_a_sixteenth_on_flipnet() -> None:
    images = np.array(list(itertools.product([0.0, 1.0], repeat=4)))
    targets = images[:, [0, 2, 1, 3]]
    centred, centred_targets = images - images.mean(0), targets - targets.mean(0)
    # Reduced-rank regression (Izenman 1975): the inputs are white, so the best map keeps three singular values.
    full = np.linalg.lstsq(centred, centred_targets, rcond=None)[0]
    left, values, right = np.linalg.svd(centred @ full)
    rest = centred_targets - (left[:, :3] * values[:3]) @ right[:3]
    assert (rest**2).mean() == pytest.approx(1 / 16)


def test_the_mean_square_of_a_batchs_gradient_is_that_of_the_full_one_and_the_noise_over_the_batch() -> None:
    from worker.engine.problems import Quadratic

    noise, batch, num, lr = 3.0, 4, 20_000, 1.0
    problem = Quadratic(np.array([2.0]), np.full((num, 1), 1.5), np.arange(num), noise=noise, batch_size=batch)
    groups = group_runs([("sgd", {"lr": lr})], np.zeros(num, int))
    trainer = Trainer(Plan(problem, groups, 1, measure=("noise_scale",)))
    start, after = trainer.run()
    step = start.values_FR[trainer.fields.index("x")] - after.values_FR[trainer.fields.index("x")]
    squares = (step / lr) ** 2
    full, trace = (2.0 * 1.5) ** 2, noise**2
    assert squares.mean() == pytest.approx(full + trace / batch, abs=5 * squares.std() / np.sqrt(num))
    assert start.values_FR[trainer.fields.index("noise_scale"), 0] == pytest.approx(trace / full)
