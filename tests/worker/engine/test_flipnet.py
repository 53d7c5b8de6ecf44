"""FlipNet equals the network built and trained by torch, in every run of a stack."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.worker.engine.training import flipnet_loss, torch_loop, train
from worker.engine.networks.flipnet import IMAGES, TARGETS, initial_weights
from worker.engine.numerics.random import permutations
from worker.engine.problems import FlipNet

CPU = torch.device("cpu")


def network(seed: int) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4))


def flattened(net: nn.Sequential) -> torch.Tensor:
    return torch.cat([values.flatten() for values in net.state_dict().values()])


def random_objective(batch_size="full", dtype=torch.float64, num_runs=64):
    objective = FlipNet(np.arange(num_runs), batch_size=batch_size).objective(np.arange(num_runs), dtype, CPU)
    return objective, objective.start_DR * 1.5


@pytest.mark.parametrize("seed", [0, 1, 42, 1_000_003, 2**62, -1])
def test_the_initial_weights_are_exactly_those_of_torch(seed):
    assert torch.equal(initial_weights(seed), flattened(network(seed)))


def test_float64_starts_from_the_float32_weights_widened():
    start = FlipNet([7]).objective(np.zeros(32, int), torch.float64, CPU).start_DR
    assert start.dtype == torch.float64
    assert torch.equal(start[:, 0], flattened(network(7)).double())


def test_drawing_initial_weights_leaves_torchs_own_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    initial_weights(123_456_789)
    assert torch.equal(torch.rand(3), expected)


def test_the_images_count_in_binary_and_targets_are_their_transposes():
    assert IMAGES[6].tolist() == [0, 1, 1, 0]
    assert IMAGES[8].tolist() == [1, 0, 0, 0]
    assert np.array_equal(TARGETS.reshape(16, 2, 2), IMAGES.reshape(16, 2, 2).transpose(0, 2, 1))


@pytest.mark.parametrize("batch_size", [1, 3, 5, 16])
def test_gradients_equal_autograd(batch_size):
    objective, weights = random_objective(batch_size)
    for index, first in enumerate(range(0, 16, batch_size)):
        images = range(first, min(first + batch_size, 16))
        loss_KR, gradient_DR = objective.batch(weights, index, None)
        for run in (0, 13, 63):
            column = weights[:, run].clone().requires_grad_()
            loss = flipnet_loss(images)(column)
            loss.backward()
            torch.testing.assert_close(loss_KR.mean(0)[run], loss.detach(), rtol=1e-13, atol=1e-15)
            torch.testing.assert_close(gradient_DR[:, run], column.grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_loss_without_a_gradient_is_the_same_to_the_last_bit(dtype):
    objective, weights = random_objective(dtype=dtype)
    assert torch.equal(objective.loss(weights), objective.evaluate(weights).loss_R)


def test_accuracy_is_the_share_of_images_whose_outputs_all_round_to_the_target():
    objective, weights = random_objective()
    weights = weights * 2
    found = objective.evaluate(weights).score_R
    for run in range(64):
        w1, b1, w2, b2 = weights[:, run].split([12, 3, 12, 4])
        pixels = torch.from_numpy(IMAGES)
        outputs = torch.relu(pixels @ w1.view(3, 4).T + b1) @ w2.view(4, 3).T + b2
        expected = ((outputs > 0.5) == torch.from_numpy(TARGETS > 0.5)).all(1).double().mean()
        assert found[run] == expected
    assert found.unique().numel() > 2


@pytest.mark.parametrize(("output", "right"), [(0.5, 1), (np.nextafter(0.5, 1), 1), (np.nan, 0), (np.inf, 1)])
def test_an_output_of_exactly_one_half_rounds_to_zero_and_nan_is_never_right(output, right):
    weights = torch.zeros(31, 32, dtype=torch.float64)
    weights[27:] = output  # All outputs equal the bias, so only the black or only the white image can be right.
    objective = FlipNet(np.zeros(1, int)).objective(np.zeros(32, int), torch.float64, CPU)
    assert objective.evaluate(weights).score_R[0] == right / 16


@pytest.mark.parametrize("batch_size", [1, 5, "full"])
def test_training_loss_is_the_mean_of_batch_losses_each_before_its_update(batch_size):
    size = 16 if batch_size == "full" else batch_size
    history = train(FlipNet([3], batch_size=batch_size), [("sgd", {"lr": 0.1})], 2)
    batches = [range(first, min(first + size, 16)) for first in range(0, 16, size)]
    losses = [flipnet_loss(images) for images in batches] * 2
    _, seen = torch_loop(initial_weights(3).double(), losses, ("sgd", {"lr": 0.1}))
    for epoch in (1, 2):
        expected = np.mean(seen[(epoch - 1) * len(batches) : epoch * len(batches)])
        assert history["train_loss"][epoch, 0] == pytest.approx(expected, rel=1e-12)


def test_shuffled_training_follows_the_order_that_the_seed_draws_for_each_epoch():
    epochs, seeds = 20, [11, 12]
    history = train(FlipNet(seeds, batch_size=3, shuffle=True), [("momentum", {"lr": 0.05})], epochs)
    for run, seed in enumerate(seeds):
        orders = permutations(np.array([seed]), np.arange(epochs), 16)[:, :, 0]
        losses = [flipnet_loss(order[first : first + 3]) for order in orders for first in range(0, 16, 3)]
        weights, _ = torch_loop(initial_weights(seed).double(), losses, ("momentum", {"lr": 0.05}))
        expected = flipnet_loss(range(16))(weights).item()
        assert history["loss"][-1, run] == pytest.approx(expected, rel=1e-11)


def test_every_optimizer_sees_the_same_order_of_data():
    optimizers = [("sgd", {"lr": 0.05}), ("momentum", {"lr": 0.05, "momentum": 0.0})]
    history = train(FlipNet([5, 5], batch_size=2, shuffle=True), optimizers, 5)
    assert history.of_runs([0]) == history.of_runs([1])


def test_a_batch_of_all_images_does_not_depend_on_their_order():
    plain, shuffled = (
        train(FlipNet([5], batch_size=20, shuffle=shuffle), [("sgd", {"lr": 0.1})], 5) for shuffle in (False, True)
    )
    assert plain.of_runs([0]) == shuffled.of_runs([0])
