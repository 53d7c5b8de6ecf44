"""Runs on formulas: slopes at singular points, and paths equal to those of torch with autograd."""

import numpy as np
import pytest
import torch

from tests.worker.engine.training import assert_equal, final_weights, surface, train


def test_a_power_of_0_moves_only_its_other_coordinate():
    history = train(surface("(x**2)**y + y**2", [[0, 1]]), [("sgd", {"lr": 0.1})], 3)
    assert history["x"].ravel().tolist() == [0, 0, 0, 0]
    assert history["y"].ravel() == pytest.approx([1, 0.8, 0.64, 0.512], rel=1e-15)
    assert history["loss"].ravel() == pytest.approx([1, 0.64, 0.4096, 0.262144], rel=1e-15)


@pytest.mark.parametrize(
    "formula", ["√(x²) + y²", "(x²)^0.3 + y²", "|x| + y²", "max(x, -x) + y²", "where(x == 0, 0, exp(-1/x²)) + y²"]
)
def test_a_run_that_starts_in_a_kink_stays_there_and_does_not_diverge(formula):
    history = train(surface(formula, [[0, 1]]), [("sgd", {"lr": 0.1})], 3)
    assert history["x"].ravel().tolist() == [0, 0, 0, 0]
    assert history["y"].ravel() == pytest.approx([1, 0.8, 0.64, 0.512], rel=1e-15)


def test_the_path_equals_that_of_torch_with_autograd():
    text = "where(x < y, x² + sigmoid(3y), 2x²) + max(x, y)²min(y, 2) + log10(1 + x²y²) + (1 + x²)^(y/4)"

    def loss(x, y):
        chosen = torch.where(x < y, x**2 + torch.sigmoid(3 * y), 2 * x**2)
        extremes = torch.maximum(x, y) ** 2 * y.clamp(max=2)
        return chosen + extremes + torch.log10(1 + x**2 * y**2) + (1 + x**2) ** (y / 4)

    starts = np.random.default_rng(5).normal(size=(20, 2))
    weights = torch.tensor(starts.T, requires_grad=True)
    optimizer = torch.optim.SGD([weights], lr=0.02, momentum=0.9)
    for _ in range(60):
        optimizer.zero_grad()
        loss(*weights).sum().backward()
        optimizer.step()
    found = final_weights(surface(text, starts), [("momentum", {"lr": 0.02, "momentum": 0.9})] * 20, 60)
    assert_equal(found, weights.detach())
