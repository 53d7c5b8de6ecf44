"""The output of a training: rows, fields, divergence, and the end."""

import itertools

import numpy as np
import pytest
import torch

from tests.groups import group_runs
from tests.worker.engine.training import flipnet_loss, surface, torch_loop, train
from worker.engine.networks.flipnet import initial_weights
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.trainer import Plan, Trainer

RAVINE = "x**2 + 10*y**2"
SGD = [("sgd", {"lr": 0.05})]


def test_the_fields_of_a_surface():
    trainer = Trainer(Plan(surface(RAVINE, [[5, 2]], minima=[(0, 0)]), group_runs(SGD, [0]), 3))
    assert trainer.fields == (
        "loss", "train_loss", "grad_norm", "update_norm", "distance_from_start", "distance_to_minimum",
        "lr", "momentum", "x", "y",
    )  # fmt: skip


def test_fields_that_a_problem_does_not_have_are_absent():
    flipnet = Trainer(Plan(FlipNet([0]), group_runs([("adagrad", {"lr": 0.1})], [0]), 1))
    assert flipnet.fields == (
        "loss", "train_loss", "accuracy", "grad_norm", "update_norm", "distance_from_start", "lr",
    )  # fmt: skip
    line = Trainer(Plan(surface("x", [[0]]), group_runs(SGD, [0]), 1))
    assert line.fields[-1] == "x"
    assert "distance_to_minimum" not in line.fields
    wide = Trainer(Plan(Quadratic([1, 2, 3], [[1, 1, 1]], [0]), group_runs(SGD, [0]), 1))
    assert "x" not in wide.fields
    assert "distance_to_minimum" in wide.fields


def test_every_field_is_what_its_name_says():
    start = np.array([5.0, 2.0])
    history = train(surface(RAVINE, [start], minima=[(0, 0), (10, 10)]), [("momentum", {"lr": 0.01})], 20)
    x, y = history["x"][:, 0], history["y"][:, 0]
    points = np.stack([x, y], axis=1)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(history["loss"][:, 0], x**2 + 10 * y**2, rtol=1e-14)
    np.testing.assert_allclose(history["train_loss"][1:, 0], history["loss"][:-1, 0], rtol=0)
    np.testing.assert_allclose(history["grad_norm"][:, 0], np.hypot(2 * x, 20 * y), rtol=1e-14)
    np.testing.assert_allclose(history["update_norm"][1:, 0], steps, rtol=1e-12)
    np.testing.assert_allclose(history["distance_from_start"][:, 0], np.linalg.norm(points - start, axis=1), rtol=1e-13)
    to_minima = np.stack([np.hypot(x, y), np.hypot(x - 10, y - 10)])
    np.testing.assert_allclose(history["distance_to_minimum"][:, 0], to_minima.min(0), rtol=1e-13)


def test_not_measured_is_distinguished_from_nan():
    optimizers = [("sgd", {"lr": 0.1}), ("adagrad", {"lr": 0.1}), ("adam", {"lr": 0.1}), ("rmsprop", {"lr": 0.1})]
    history = train(surface(RAVINE, [[5, 2]] * 4), optimizers, 2)
    momentum = history.fields.index("momentum")
    for epoch in history.epochs:
        assert epoch.measured_FR[momentum].tolist() == [True, False, True, True]
        for field in ("train_loss", "update_norm"):
            assert (epoch.measured_FR[history.fields.index(field)] == (epoch.number > 0)).all()
        assert np.isnan(epoch.values_FR[~epoch.measured_FR]).all()
    assert history["momentum"][1][[0, 2, 3]].tolist() == [0.0, 0.9, 0.0]


def test_learning_rates_are_recorded_as_given_even_in_float32():
    history = train(FlipNet([0], batch_size=1), [("momentum", {"lr": 0.1, "momentum": 0.7})], 1, dtype="float32")
    assert history["lr"].ravel().tolist() == [0.1, 0.1]
    assert history["momentum"].ravel().tolist() == [0.7, 0.7]


def test_record_every_keeps_multiples_and_the_last_epoch_and_changes_no_number():
    problem = FlipNet([0, 1], batch_size=1)
    every = train(problem, SGD, 11)
    some = train(problem, SGD, 11, record_every=4)
    assert [epoch.number for epoch in some.all_epochs] == list(range(12)), "each epoch is reported, for progress"
    assert some.numbers == [0, 4, 8, 11]
    for field in some.fields:
        np.testing.assert_array_equal(some[field], every[field][[0, 4, 8, 11]])


def test_a_run_that_diverges_keeps_that_row_and_stops_and_leaves_the_others_untouched():
    optimizers = [("sgd", {"lr": 0.05}), ("sgd", {"lr": 0.2}), ("sgd", {"lr": 0.04})]
    problem = surface(RAVINE, [[5, 2]] * 3)
    history = train(problem, optimizers, 60)
    diverged = [epoch.number for epoch in history.epochs if epoch.diverged_R[1]]
    # Across the ravine each update multiplies w2 by 1 − 0.2 · 20 = −3, the loss by 9.
    loss = 25 * 0.6 ** (2 * np.arange(61)) + 40 * 9.0 ** np.arange(61)
    assert diverged == [int(np.argmax(loss > 1e9 * 65))]
    assert [bool(epoch.kept_R[1]) for epoch in history.epochs] == [number <= diverged[0] for number in range(61)]
    assert np.isfinite(history["loss"][: diverged[0] + 1, 1]).all()
    assert np.isnan(history["loss"][diverged[0] + 1 :, 1]).all()
    assert not any(epoch.diverged_R[[0, 2]].any() for epoch in history.epochs)
    without = train(surface(RAVINE, [[5, 2]] * 2), [optimizers[0], optimizers[2]], 60)
    assert history.of_runs([0]) == without.of_runs([0])
    assert history.of_runs([2]) == without.of_runs([1])


@pytest.mark.parametrize("problem", ["flipnet", "surface"])
def test_divergence_is_seen_at_every_epoch_however_few_are_recorded(problem):
    problem = FlipNet([0, 1], batch_size=1) if problem == "flipnet" else surface(RAVINE, [[5, 2], [1, 1]])
    optimizers = [("sgd", {"lr": 10.0}), ("sgd", {"lr": 0.05})]
    every = train(problem, optimizers, 40)
    some = train(problem, optimizers, 40, record_every=40)
    at = [epoch.number for epoch in every.all_epochs if epoch.diverged_R[0]]
    assert len(at) == 1
    assert 0 < at[0] < 40
    assert [epoch.number for epoch in some.all_epochs if epoch.diverged_R[0]] == at
    assert some.numbers == [0, at[0], 40]
    row = some.epochs[1]
    assert row.kept_R.tolist() == [True, False]
    assert np.array_equal(row.values_FR[:, 0], every.epochs[at[0]].values_FR[:, 0], equal_nan=True)
    assert some.of_runs([1]) == [every.of_runs([1])[0], every.of_runs([1])[40]]


def test_a_run_may_diverge_at_its_start_and_training_ends_with_the_last_run():
    history = train(surface("log(x) + y", [[-1, 0], [0, 0]]), SGD, 10)
    assert [epoch.number for epoch in history.all_epochs] == [0]
    (epoch,) = history.epochs
    assert epoch.diverged_R.all()
    assert epoch.kept_R.all()
    assert np.isnan(history["loss"][0, 0])
    assert history["loss"][0, 1] == -np.inf


def test_a_large_loss_at_the_start_raises_the_bound():
    # exp(20) is 5e8, and the bound is 1e9 times that: the loss may grow by nine decades.
    history = train(surface("exp(20) + 0*y + x", [[0, 0]]), [("sgd", {"lr": 1e15, "maximize": True})], 600)
    at = [epoch.number for epoch in history.all_epochs if epoch.diverged_R[0]]
    assert at == [int(np.ceil((1e9 - 1) * np.exp(20) / 1e15))]


def test_closing_the_generator_ends_the_training():
    trainer = Trainer(Plan(FlipNet([0]), group_runs(SGD, [0]), 1000))
    epochs = trainer.run()
    assert [next(epochs).number for _ in range(3)] == [0, 1, 2]
    epochs.close()
    assert trainer.epoch == 2
    assert list(epochs) == []
    assert not torch.is_inference_mode_enabled()


def test_the_consumer_is_never_in_inference_mode():
    for _ in Trainer(Plan(FlipNet([0]), group_runs(SGD, [0]), 2)).run():
        assert not torch.is_inference_mode_enabled()


def test_yielded_epochs_do_not_change_later():
    epochs, copies = [], []
    for epoch in Trainer(Plan(surface(RAVINE, [[5, 2]] * 3), group_runs(SGD, [0] * 3), 5)).run():
        epochs.append(epoch)
        copies.append(epoch.values_FR.copy())
    for epoch, copy in zip(epochs, copies, strict=True):
        assert np.array_equal(epoch.values_FR, copy, equal_nan=True)


@pytest.mark.parametrize("accumulate", [2, 5, 16])
def test_accumulation_averages_gradients_and_the_rest_of_an_epoch_updates_too(accumulate):
    history = train(FlipNet([4], batch_size=1), [("momentum", {"lr": 0.1})], 3, accumulate=accumulate)

    def mean_loss(images):
        return lambda weights: torch.stack([flipnet_loss([image])(weights) for image in images]).mean()

    parts = [range(first, min(first + accumulate, 16)) for first in range(0, 16, accumulate)]
    weights, _ = torch_loop(
        initial_weights(4).double(), [mean_loss(part) for part in parts] * 3, ("momentum", {"lr": 0.1})
    )
    assert history["loss"][-1, 0] == pytest.approx(flipnet_loss(range(16))(weights).item(), rel=1e-12)


def test_accumulating_all_images_is_the_full_batch():
    accumulated = train(FlipNet([4], batch_size=1), SGD, 5, accumulate=16)
    full = train(FlipNet([4], batch_size="full"), SGD, 5)
    np.testing.assert_allclose(accumulated["loss"], full["loss"], rtol=1e-12)


def test_on_a_surface_an_epoch_is_one_update_whatever_is_accumulated():
    once, thrice = (train(surface(RAVINE, [[5, 2]]), SGD, 5, accumulate=accumulate) for accumulate in (1, 3))
    np.testing.assert_allclose(thrice["loss"], once["loss"], rtol=1e-14)


@pytest.mark.parametrize(
    ("noise", "batch_size", "accumulate", "expected"),
    [(2.0, 1, 1, 2.0), (2.0, 4, 1, 1.0), (2.0, 1, 4, 1.0), (2.0, "full", 1, 0.0), (0.0, 1, 1, 0.0)],
)
def test_noise_has_the_given_standard_deviation(noise, batch_size, accumulate, expected):
    # On a slope the gradient is (1, 0), so with lr 1 each step is −(1, 0) − noise.
    runs = 500
    problem = surface("x + 0*y", [[0, 0]] * runs, seeds=range(runs), noise=noise, batch_size=batch_size)
    history = train(problem, [("sgd", {"lr": 1.0})], 40, accumulate=accumulate)
    steps = -np.diff(np.stack([history["x"], history["y"]]), axis=1)
    for component, mean in ((steps[0], 1.0), (steps[1], 0.0)):
        # Five standard deviations of the sample's mean and of its standard deviation.
        assert abs(component.mean() - mean) <= 5 * expected / np.sqrt(component.size) + 1e-12
        assert abs(component.std() - expected) <= 5 * expected / np.sqrt(2 * component.size) + 1e-9


def test_every_optimizer_and_start_sees_the_noise_of_its_seed():
    problem = surface("x + 0*y", [[0, 0], [3, 4], [0, 0]], seeds=[7, 7, 8], noise=1.0)
    history = train(problem, [("sgd", {"lr": 1.0}), ("momentum", {"lr": 1.0, "momentum": 0.0}), SGD[0]], 10)
    steps = np.diff(history["x"], axis=0)
    np.testing.assert_allclose(steps[:, 0], steps[:, 1], rtol=1e-12)
    assert not np.allclose(steps[:, 0] / 1.0, steps[:, 2] / 0.05)


def test_a_turned_quadratic_has_its_eigenvalues_along_turned_axes():
    angle = np.radians(30)
    axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    history = train(Quadratic([1, 100], axes, [0, 0], angle=30), [("sgd", {"lr": 0.001})], 1)
    np.testing.assert_allclose(history["loss"][0], [0.5, 50])
    for run, shrunk in enumerate((0.999, 0.9)):
        point = [history["x"][1, run], history["y"][1, run]]
        np.testing.assert_allclose(point, shrunk * axes[run], rtol=1e-12)


@pytest.mark.parametrize(("eigenvalues", "known"), [([1, 2], 1), ([0, 2], 0), ([-1, 2], 0)])
def test_a_quadratic_has_a_known_minimum_only_if_there_is_one_point(eigenvalues, known):
    assert len(Quadratic(eigenvalues, [[1, 1]], [0]).minima_MD) == known


def test_a_quadratic_of_a_thousand_dimensions_trains():
    eigenvalues = np.geomspace(1, 100, 1000)
    history = train(Quadratic(eigenvalues, np.ones((3, 1000)), [0, 1, 2]), SGD[:1] * 3, 3)
    expected = [(eigenvalues * (1 - 0.05 * eigenvalues) ** (2 * epoch)).sum() / 2 for epoch in range(4)]
    np.testing.assert_allclose(history["loss"], np.tile(expected, (3, 1)).T, rtol=1e-12)


def test_wrong_plans_are_refused():
    with pytest.raises(ValueError, match="shape"):
        surface(RAVINE, [[5]])
    with pytest.raises(ValueError, match="two eigenvalues"):
        Quadratic([1, 2, 3], [[1, 1, 1]], [0], angle=5)
    with pytest.raises(ValueError, match="2 runs"):
        Plan(FlipNet([0, 1]), group_runs(SGD, [0]), 1)
    with pytest.raises(ValueError, match="dtype"):
        Plan(FlipNet([0]), group_runs(SGD, [0]), 1, dtype="float16")
    groups = tuple(itertools.chain(group_runs(SGD, [0]), group_runs(SGD, [0])))
    with pytest.raises(ValueError, match="exactly one group"):
        Trainer(Plan(FlipNet([0, 1]), groups, 1))
