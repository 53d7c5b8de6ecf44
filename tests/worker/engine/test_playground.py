"""The point sets of the playground have their shapes, and each network equals the one trained by torch."""

import itertools
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from service.spec.problems import Playground as Spec
from service.spec.problems import playground as spec
from service.spec.problems.playground import Feature
from tests.groups import group_runs
from tests.worker.engine.training import History, train
from worker.engine.numerics.random import permutations
from worker.engine.problems import Playground, playground
from worker.engine.supervised.plane_features import FEATURES
from worker.engine.supervised.point_sets import DATASETS, REGRESSIONS, draw
from worker.engine.trainer import Plan, Trainer

MOMENTUM = ("momentum", {"lr": 0.2, "momentum": 0.9})
ADAM = ("adam", {"lr": 0.02})
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "linear": nn.Identity}


def network(seed, widths, activation, inputs=2):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = []
        for before, after in itertools.pairwise((inputs, *widths)):
            layers += [nn.Linear(before, after), ACTIVATIONS[activation]()]
        return nn.Sequential(*layers, nn.Linear(widths[-1], 1))


CLASSES = [dataset for dataset in DATASETS if dataset not in REGRESSIONS]


@pytest.mark.parametrize("dataset", CLASSES)
def test_points_are_drawn_by_their_seed_and_half_of_them_belong_to_each_class(dataset):
    points, labels = draw(dataset, 100, 0.0, 3, 0)
    again, _ = draw(dataset, 100, 0.0, 3, 0)
    test, _ = draw(dataset, 100, 0.0, 3, 1)
    fewer, _ = draw(dataset, 50, 0.0, 3, 0)
    noisy, _ = draw(dataset, 100, 0.1, 3, 0)
    assert labels.sum() == 50
    assert np.array_equal(points, again)
    assert np.array_equal(points[:50], fewer)
    assert not np.isin(points, test).any()
    assert (noisy - points).std() == pytest.approx(0.1, rel=0.2)
    assert np.abs(points).max() <= (1 if dataset != "gaussians" else 1.3)


def test_each_set_has_the_shape_it_is_named_after():
    def classes(dataset):
        points, labels = draw(dataset, 400, 0.0, 1, 0)
        return points[labels == 1], points[labels == 0]

    inner, outer = classes("circles")
    assert np.linalg.norm(inner, axis=1).max() <= 0.5
    assert np.linalg.norm(outer, axis=1).min() >= 0.7
    same, other = classes("xor")
    assert (same.prod(1) > 0).all()
    assert (other.prod(1) < 0).all()
    assert set(np.sign(same[:, 0])) == {-1, 1}
    right, left = classes("gaussians")
    assert right.mean(0) == pytest.approx([0.5, 0.5], abs=0.05)
    assert left.std(0) == pytest.approx([0.15, 0.15], abs=0.03)
    one, _ = classes("spiral")
    turned = one @ -np.eye(2)
    assert np.linalg.norm(one[:, None] - turned, axis=2).min() < 0.2  # The arms meet only in the middle.
    far = np.linalg.norm(one, axis=1) > 0.3
    assert np.linalg.norm(one[far][:, None] - turned[None], axis=2).min() > 0.1


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", [(3,), (5, 4, 3, 2)])
def test_an_epoch_equals_a_plain_torch_loop(activation, widths):
    problem = Playground([4, 5], dataset="xor", size=40, widths=widths, activation=activation, batch_size=12)
    trainer = Trainer(Plan(problem, group_runs([MOMENTUM], [0, 0]), 1, measure=["sharpness"]))
    history = History(trainer, list(trainer.run()))
    (points, labels), (tested, test_labels) = (map(torch.from_numpy, draw("xor", 40, 0.05, 0, part)) for part in (0, 1))
    for run, seed in enumerate((4, 5)):
        net = network(seed, widths, activation).double()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)

        def loss_of(points, labels, net=net):
            return nn.functional.binary_cross_entropy_with_logits(net(points)[:, 0], labels.double())

        for chosen in torch.from_numpy(permutations(np.array([seed]), np.array([0]), 40)[0, :, 0]).split(12):
            optimizer.zero_grad()
            loss_of(points[chosen], labels[chosen]).backward()
            optimizer.step()
        weights = torch.cat([weight.flatten() for weight in net.state_dict().values()])
        torch.testing.assert_close(
            torch.from_numpy(trainer.checkpoint()["weights"])[:, run], weights, rtol=1e-10, atol=1e-13
        )
        assert history["loss"][1, run] == pytest.approx(loss_of(points, labels).item(), rel=1e-11)
        assert history["test_loss"][1, run] == pytest.approx(loss_of(tested, test_labels).item(), rel=1e-11)
        right = (net(tested)[:, 0] > 0) == (test_labels == 1)
        assert history["test_accuracy"][1, run] == pytest.approx(right.double().mean().item())


@pytest.mark.parametrize("dataset", ["xor", "hills"])
def test_penalties_and_inputs_computed_from_points_equal_a_plain_torch_loop(dataset):
    given = {"size": 40, "test_size": 25, "widths": (5,), "features": FEATURES, "l1": 0.003, "l2": 0.02}
    problem = Playground([4], dataset=dataset, batch_size=12, **given)
    trainer = Trainer(Plan(problem, group_runs([MOMENTUM], [0]), 1, measure=["sharpness"]))
    history = History(trainer, list(trainer.run()))
    net = network(4, (5,), "tanh", len(FEATURES)).double()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)

    def part(number, size):
        points, labels = map(torch.from_numpy, draw(dataset, size, 0.05, 0, number))
        x, y = points.T
        return torch.stack([x, y, x**2, y**2, x * y, torch.sin(5 * x), torch.sin(5 * y)], 1), labels.double()

    def loss_of(inputs, labels):
        outputs = net(inputs)[:, 0]
        if dataset == "xor":
            return nn.functional.binary_cross_entropy_with_logits(outputs, labels)
        return nn.functional.mse_loss(outputs, labels) / 2

    def penalty():
        matrices = [weight for weight in net.parameters() if weight.dim() == 2]
        return sum(0.003 * one.abs().sum() + 0.01 * one.square().sum() for one in matrices)

    inputs, labels = part(0, 40)
    for chosen in torch.from_numpy(permutations(np.array([4]), np.array([0]), 40)[0, :, 0]).split(12):
        optimizer.zero_grad()
        (loss_of(inputs[chosen], labels[chosen]) + penalty()).backward()
        optimizer.step()
    weights = torch.cat([weight.flatten() for weight in net.state_dict().values()])
    torch.testing.assert_close(torch.from_numpy(trainer.checkpoint()["weights"])[:, 0], weights, rtol=1e-10, atol=1e-13)
    assert history["loss"][1, 0] == pytest.approx((loss_of(inputs, labels) + penalty()).item(), rel=1e-11)
    tested, numbers = part(1, 25)
    assert history["test_loss"][1, 0] == pytest.approx(loss_of(tested, numbers).item(), rel=1e-11)
    if dataset == "hills":
        share = 1 - (net(tested)[:, 0] - numbers).square().mean() / numbers.var(correction=0)
        assert history["test_r2"][1, 0] == pytest.approx(share.item(), rel=1e-9)
    grid = torch.linspace(-spec.GRID_REACH, spec.GRID_REACH, spec.GRID_SIDE, dtype=torch.float64)
    x, y = grid[30], grid[8]
    point = torch.stack([x, y, x**2, y**2, x * y, torch.sin(5 * x), torch.sin(5 * y)])
    output = net(point).item()
    expected = output if dataset == "hills" else 1 / (1 + np.exp(-output))
    assert trainer.decisions()[0, 8, 30] == pytest.approx(expected, rel=1e-6)


def test_numbers_of_the_regressions_follow_from_the_place_before_noise_moves_it():
    points, rising = draw("plane", 300, 0.0, 2, 0)
    assert rising == pytest.approx(points.sum(1) / 2)
    places, heights = draw("hills", 300, 0.0, 2, 0)
    on_hill = np.hypot(places[:, 0], places[:, 1] + 0.5) < 0.1
    in_hollow = np.hypot(places[:, 0], places[:, 1] - 0.5) < 0.1
    assert heights[on_hill].min() > 0.7
    assert heights[in_hollow].max() < -0.7
    moved, same = draw("hills", 300, 0.2, 2, 0)
    assert np.array_equal(same, heights)
    assert not np.array_equal(moved, places)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_run_is_the_same_alone_and_among_others(activation, dtype, tolerance):
    runs = np.arange(21)
    more = {"size": 60, "widths": (6, 3), "activation": activation}
    together = train(Playground(runs % 5, **more), [(MOMENTUM, ADAM)[run % 2] for run in runs], 3, dtype=dtype)
    for run in (0, 10, 19):
        alone = train(Playground([run % 5], **more), [(MOMENTUM, ADAM)[run % 2]], 3, dtype=dtype)
        for field in alone.fields:
            np.testing.assert_allclose(alone[field][:, 0], together[field][:, run], rtol=tolerance, err_msg=field)


def test_a_resumed_run_yields_the_bits_of_an_undisturbed_one():
    plan = Plan(Playground(np.arange(6) % 4, size=50), group_runs([MOMENTUM, ADAM], np.arange(6) % 2), 4)
    undisturbed = Trainer(plan)
    whole = History(undisturbed, list(undisturbed.run()))
    first = Trainer(plan)
    before = list(itertools.islice(first.run(), 2))
    resumed = Trainer(plan, first.checkpoint())
    assert History(resumed, [*before, *resumed.run()]).of_runs(range(6)) == whole.of_runs(range(6))
    np.testing.assert_array_equal(resumed.decisions(), undisturbed.decisions())


@pytest.mark.slow
def test_a_trained_network_classifies_the_points():
    trainer = Trainer(Plan(Playground([0, 1], size=300), group_runs([ADAM], [0, 0]), 60))
    *_, last = trainer.run()
    assert last.values_FR[trainer.fields.index("test_accuracy")].min() > 0.97
    decisions = trainer.decisions()
    assert decisions.shape == (2, spec.GRID_SIDE, spec.GRID_SIDE)
    middle = spec.GRID_SIDE // 2
    assert (decisions[:, middle, middle] > 0.9).all()
    assert (decisions[:, 0, 0] < 0.1).all()


def test_the_counts_of_the_service_are_those_of_the_engine():
    given = Spec(kind="playground", widths=[7, 5], size=90, features=["x", "y", "xy"])
    made = Playground([0], widths=(7, 5), size=90, features=("x", "y", "xy"))
    assert given.num_parameters == made.num_parameters
    assert get_args(Feature) == tuple(FEATURES)
    assert set(spec.REGRESSIONS) == set(REGRESSIONS)
    assert (spec.GRID_SIDE, spec.GRID_REACH) == (playground.GRID_SIDE, playground.GRID_REACH)
