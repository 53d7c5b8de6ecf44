"""The digits are those of scikit-learn, and every run of a stack equals the network trained by torch."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.digits import network as plain_network
from service.spec.problems import Digits as Spec
from tests.groups import group_runs
from tests.worker.engine.training import History, train
from worker.data.digits import MODELS, digits, examples
from worker.engine.numerics.random import permutations
from worker.engine.trainer import Plan, Trainer

CPU = torch.device("cpu")
TINY = {"model": "resnet", "hidden": 2, "train_size": 40}
SMALL = {"train_size": 200, "hidden": 8}
OPTIMIZERS = [("momentum", {"lr": 0.1, "momentum": 0.9}), ("sgd", {"lr": 0.2}), ("adam", {"lr": 0.01})]


def network(seed: int, model: str, width: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return plain_network(model, width)


def tensors(part, dtype=torch.float64):
    return torch.from_numpy(part.inputs).to(dtype), torch.from_numpy(part.labels)


def objective(problem, dtype=torch.float64):
    made = problem.objective(np.arange(problem.num_runs), dtype, CPU)
    return made, made.start_DR


def test_the_split_is_four_to_one_with_every_digit_in_proportion_and_nothing_in_both():
    training, test = examples()
    assert (len(training), len(test)) == (1437, 360)
    assert len({image.tobytes() for image in (*training.inputs, *test.inputs)}) == 1797
    assert training.inputs.min() == 0
    assert training.inputs.max() == 1
    shares = np.bincount(np.concatenate([training.labels, test.labels])) / 1797
    for part in (training.labels, test.labels, training.labels[:100], training.labels[:500]):
        np.testing.assert_allclose(np.bincount(part), shares * len(part), atol=1.5)


@pytest.mark.parametrize("hidden", [None, 1, 6, 100])
@pytest.mark.parametrize("model", MODELS)
def test_the_counts_of_the_service_are_those_of_the_engine(model, hidden):
    spec, problem = Spec(kind="digits", model=model, hidden=hidden), digits([0], model=model, hidden=hidden)
    assert spec.numbers_per_example == problem._setup.network.numbers_per_example
    assert spec.num_parameters == problem.num_parameters == sum(math.prod(shape) for shape in problem.shapes)
    assert spec.num_examples == len(examples()[0])
    assert Spec(kind="digits", train_size=50).num_examples == 50


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
@pytest.mark.parametrize("model", MODELS)
def test_the_initial_weights_are_exactly_those_of_torch(model, seed):
    start = objective(digits([seed], model=model), torch.float32)[1][:, 0]
    net = network(seed, model, MODELS[model])
    assert torch.equal(start, torch.cat([weight.flatten() for weight in net.state_dict().values()]))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("model", MODELS)
def test_an_epoch_equals_a_plain_torch_loop(model):
    seeds, size = [3, 3, 4], 32
    problem = digits(seeds, model, **SMALL, batch_size=size)
    trainer = Trainer(Plan(problem, group_runs(OPTIMIZERS, [0, 1, 2]), 2))
    history = History(trainer, list(trainer.run()))
    inputs, labels = tensors(examples()[0])
    tested, test_labels = tensors(examples()[1])
    inputs, labels = inputs[:200], labels[:200]
    twins = [
        lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
        lambda parameters: torch.optim.SGD(parameters, lr=0.2),
        lambda parameters: torch.optim.Adam(parameters, lr=0.01),
    ]
    for run, (seed, twin) in enumerate(zip(seeds, twins, strict=True)):
        net = network(seed, model, 8).double()
        optimizer = twin(net.parameters())
        for epoch in range(2):
            order = torch.from_numpy(permutations(np.array([seed]), np.array([epoch]), 200)[0, :, 0])
            losses = []
            for chosen in order.split(size):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(net(inputs[chosen]), labels[chosen])
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            assert history["train_loss"][epoch + 1, run] == pytest.approx(np.mean(losses), rel=1e-11)
        weights = torch.cat([weight.flatten() for weight in net.state_dict().values()])
        found = torch.from_numpy(trainer.checkpoint()["weights"])[:, run]
        torch.testing.assert_close(found, weights, rtol=1e-10, atol=1e-12)
        net.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs), labels)
        loss.backward()
        gradient = torch.cat([weight.grad.flatten() for weight in net.parameters()])
        expected = {
            "loss": loss.item(),
            "grad_norm": gradient.norm().item(),
            "accuracy": (net(inputs).argmax(1) == labels).double().mean().item(),
            "test_loss": nn.functional.cross_entropy(net(tested), test_labels).item(),
            "test_accuracy": (net(tested).argmax(1) == test_labels).double().mean().item(),
        }
        for field, value in expected.items():
            assert history[field][-1, run] == pytest.approx(value, rel=1e-9), field


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"shuffle": False},
        {"augment": True},
        {"label_noise": 0.3},
        {"batch_size": "full"},
    ],
)
def test_a_run_is_the_same_alone_and_among_others(more, dtype, tolerance):
    runs = np.arange(23)
    together = train(digits(runs % 5, **SMALL, **more), [OPTIMIZERS[run % 3] for run in runs], 3, dtype=dtype)
    for run in (0, 10, 22):
        alone = train(digits([run % 5], **SMALL, **more), [OPTIMIZERS[run % 3]], 3, dtype=dtype)
        for field in together.fields:
            if field != "momentum":
                np.testing.assert_allclose(alone[field][:, 0], together[field][:, run], rtol=tolerance, err_msg=field)


@pytest.mark.parametrize("more", [{"augment": True, "label_noise": 0.1}, {"batch_size": "full"}, TINY])
def test_a_resumed_run_yields_the_bits_of_an_undisturbed_one(more):
    plan = Plan(
        digits(np.arange(6) % 4, **(SMALL | more)), group_runs(OPTIMIZERS, np.arange(6) % 3), 3, dtype="float32"
    )
    undisturbed = Trainer(plan)
    whole = History(undisturbed, list(undisturbed.run()))
    first = Trainer(plan)
    before = list(itertools.islice(first.run(), 2))
    resumed = Trainer(plan, first.checkpoint())
    after = list(resumed.run())
    assert History(resumed, [*before, *after]).of_runs(range(6)) == whole.of_runs(range(6))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize("more", [{"model": "cnn", "augment": True}, {"model": "resnet"}])
def test_a_convolutional_run_is_the_same_alone_and_among_others(more, dtype, tolerance):
    runs, small = np.arange(5), {"train_size": 70, "hidden": 4}
    together = train(digits(runs % 3, **small, **more), [OPTIMIZERS[run % 3] for run in runs], 2, dtype=dtype)
    for run in (0, 4):
        alone = train(digits([run % 3], **small, **more), [OPTIMIZERS[run % 3]], 2, dtype=dtype)
        for field in set(together.fields) & set(alone.fields):
            np.testing.assert_allclose(alone[field][:, 0], together[field][:, run], rtol=tolerance, err_msg=field)


def test_label_noise_replaces_as_many_labels_as_it_says_and_never_by_the_right_one():
    clean = examples()[0].labels[:200]
    noisy = objective(digits([1, 2, 1], label_noise=0.25, **SMALL))[0]._labels.numpy()
    assert ((noisy != clean).sum(1) == 50).all()
    assert np.array_equal(noisy[0], noisy[2])
    assert not np.array_equal(noisy[0], noisy[1])
    assert noisy.min() == 0
    assert noisy.max() == 9


def test_augmented_images_differ_by_seed_and_step_and_stay_close_to_what_they_were():
    made = objective(digits([1, 2, 1], augment=True, shuffle=False, batch_size=20, **SMALL))[0]
    images = made._batch(0)[0]
    plain = torch.from_numpy(examples()[0].inputs[:20])
    assert torch.equal(images[0], images[2])
    assert not torch.allclose(images[0], images[1])
    assert not torch.allclose(images[0], made._batch(10)[0][0])
    assert torch.equal(images[0], made._batch(0)[0][0])
    assert images.min() >= 0
    assert images.max() <= 1
    # Ink moves by about a pixel: its sum and its centre change little.
    assert (images[0].sum(1) / plain.sum(1) - 1).abs().max() < 0.5
    assert (images[0] - plain).abs().mean() < 0.25
    assert (images[0] - plain).abs().mean() > 0.02
