"""Methods whose result is another point than that of the gradients are measured at the result."""

import numpy as np
import pytest
import torch

from tests.worker.engine.training import torch_twin, torch_update, train
from worker.engine.problems import Quadratic


@pytest.mark.parametrize("kind", ["asgd", "schedule_free_sgd", "schedule_free_adamw"])
def test_a_history_has_the_point_that_is_the_result_of_a_method(kind):
    given_settings = {"lr": 0.01, **({"t0": 10.0} if kind == "asgd" else {})}
    start = np.array([[1.0, -2.0]])
    neighbour = ("sgd", {"lr": 0.01})
    problem = Quadratic([1.0, 9.0], np.concatenate([start, start]), [0, 0], noise=0.0)
    history = train(problem, [(kind, given_settings), neighbour], 40)
    parameters, twin = torch_twin(torch.from_numpy(start[0]), (kind, given_settings))
    points = [start[0]]
    for _ in range(40):
        torch_update(parameters, twin, lambda weights: (torch.tensor([1.0, 9.0]) * weights**2).sum() / 2)
        if kind == "asgd":
            points.append(twin.state[parameters[0]]["ax"].numpy().copy())
        else:
            (y,) = (parameter.detach().clone() for parameter in parameters)
            twin.eval()
            points.append(parameters[0].detach().numpy().copy())
            with torch.no_grad():
                parameters[0].copy_(y)
                if hasattr(twin, "train") and kind == "schedule_free_sgd":
                    twin.param_groups[0]["train_mode"] = True
    points = np.array(points)
    np.testing.assert_allclose(np.stack([history["x"][:, 0], history["y"][:, 0]], 1), points, rtol=1e-9)
    np.testing.assert_allclose(history["loss"][:, 0], (points**2 @ [1, 9]) / 2, rtol=1e-9)
    np.testing.assert_allclose(history["grad_norm"][:, 0], np.hypot(points[:, 0], 9 * points[:, 1]), rtol=1e-9)
    moves = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(history["update_norm"][1:, 0], moves, rtol=1e-7)
    np.testing.assert_allclose(history["distance_from_start"][:, 0], np.linalg.norm(points - start, axis=1), rtol=1e-9)
    alone = train(Quadratic([1.0, 9.0], start, [0]), [neighbour], 40)
    np.testing.assert_array_equal(history["loss"][:, 1], alone["loss"][:, 0])
    np.testing.assert_array_equal(history["train_loss"][:, 1], alone["train_loss"][:, 0])
