"""Gradients are clipped run by run, as by the functions of torch."""

import numpy as np
import pytest
import torch

from tests.worker.engine.training import assert_equal, final_weights, flat, flipnet_loss, surface, torch_twin, train
from worker.engine.networks.flipnet import SHAPES, initial_weights
from worker.engine.problems import FlipNet


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("clipping", [{"clip_norm": 0.7}, {"clip_value": 0.2}, {"clip_norm": 0.5, "clip_value": 0.3}])
@pytest.mark.parametrize("kind", ["momentum", "adam"])
def test_gradients_are_clipped_as_torch_clips_them(kind, clipping):
    optimizer = (kind, {"lr": 0.01, "weight_decay": 0.01})
    history = final_weights(FlipNet([0, 1], batch_size="full"), [(kind, {**optimizer[1], **clipping}), optimizer], 60)
    expected = []
    for seed, limits in ((0, clipping), (1, {})):
        parameters, twin = torch_twin(initial_weights(seed).double(), optimizer, SHAPES)
        for _ in range(60):
            twin.zero_grad()
            flipnet_loss(range(16))(flat(parameters)).backward()
            if "clip_value" in limits:
                torch.nn.utils.clip_grad_value_(parameters, limits["clip_value"])
            if "clip_norm" in limits:
                torch.nn.utils.clip_grad_norm_(parameters, limits["clip_norm"])
            twin.step()
        expected.append(flat(parameters).detach())
    for run in range(2):
        assert_equal(history[:, run], expected[run])


def test_clipping_bounds_the_step_of_gradient_descent():
    history = train(surface("x**2 + 10*y**2", [[5, 2]]), [("sgd", {"lr": 0.1, "clip_norm": 1.0})], 20)
    assert history["update_norm"][1:21].max() <= 0.1
    history = train(surface("x**2 + 10*y**2", [[5, 2]]), [("sgd", {"lr": 0.1, "clip_value": 1.0})], 5)
    np.testing.assert_allclose(history["x"][:, 0], [5, 4.9, 4.8, 4.7, 4.6, 4.5])
