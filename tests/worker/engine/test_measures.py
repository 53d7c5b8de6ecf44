"""Measures equal their closed forms, or the values of autograd for one run."""

import itertools

import numpy as np
import pytest
import torch

from benchmarks.digits import network as plain_network
from tests.groups import group_runs
from tests.worker.engine.training import History, flipnet_loss, surface, train
from worker.data.digits import digits, examples
from worker.engine.numerics.lanczos import MAX_STEPS, largest_eigenvalue
from worker.engine.problems import FlipNet, Quadratic
from worker.engine.stack.measures import MEASURES
from worker.engine.trainer import Plan, Trainer

SGD = ("sgd", {"lr": 0.03})
MOMENTUM = ("momentum", {"lr": 0.03, "momentum": 0.9})


def weights_of(trainer: Trainer) -> torch.Tensor:
    return torch.from_numpy(trainer.checkpoint()["weights"])


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("num", [1, 2, 5, 40, 200])
def test_the_largest_algebraic_eigenvalue_is_found_whatever_the_others_are(num, dtype):
    generator = torch.Generator().manual_seed(num)
    turns = torch.linalg.qr(torch.randn(6, num, num, generator=generator, dtype=torch.float64))[0]
    spread = torch.linspace(-1, 1, num, dtype=torch.float64) ** 3
    spectra = torch.stack(
        [
            spread,
            -10 * spread.abs() - 1,
            100 * spread - 99.5,
            torch.zeros(num),
            torch.full((num,), -3.0),
            spread.round(),
        ]
    )
    matrices = turns @ torch.diag_embed(spectra.double()) @ turns.mT
    narrow = matrices.to(dtype)

    def product(direction_DR):
        return torch.einsum("rij,jr->ir", narrow, direction_DR)

    found = largest_eigenvalue(product, torch.zeros(num, 6, dtype=dtype))
    size = spectra.abs().amax(1).clamp_min(1e-3)
    error = (found.double() - spectra.amax(1)).abs() / size
    # Close eigenvalues need more steps than allowed.
    assert error.max() < (1e-4 if dtype == torch.float32 or num > MAX_STEPS else 1e-7)


def test_on_a_quadratic_all_measures_have_their_closed_forms():
    eigenvalues, start, sigma = np.array([0.5, 3.0, -1.0]), np.array([1.0, -2.0, 0.5]), 0.2
    more = {"batch_size": 4, "accumulate": 3}
    accumulate = more.pop("accumulate")
    quadratic = Quadratic(eigenvalues, [start], [7], noise=sigma, **more)
    history = train(quadratic, [SGD], 1, measure=MEASURES, accumulate=accumulate)
    gradient = eigenvalues * start
    assert history["sharpness"][0, 0] == 3
    assert history["noise_scale"][0, 0] == pytest.approx(3 * sigma**2 / (gradient @ gradient))
    assert history["gradient_variance"][0, 0] == pytest.approx(3 * sigma**2 / 12)
    still = train(Quadratic(eigenvalues, [start], [7]), [SGD], 1, measure=MEASURES)
    curvature = gradient @ (eigenvalues * gradient) / (gradient @ gradient)
    assert still["alpha"][1, 0] == pytest.approx(0.03 * curvature - 1)
    assert still["noise_scale"][1, 0] == 0


def test_the_computed_variance_is_that_of_the_drawn_gradients():
    quadratic = Quadratic([1.0, 1.0], np.zeros((4000, 2)), np.arange(4000), noise=2.0, batch_size=5)
    history = train(quadratic, [("sgd", {"lr": 1.0})], 1, measure=["gradient_variance"])
    assert np.mean(history["update_norm"][1] ** 2) == pytest.approx(history["gradient_variance"][0, 0], rel=0.1)


@pytest.mark.parametrize(("share", "alpha"), [(0.5, -0.5), (1.0, 0.0), (1.5, 0.5), (2.0, 1.0)])
def test_alpha_is_0_at_the_minimum_and_1_where_the_step_is_mirrored(share, alpha):
    history = train(surface("3*x**2", [[2.0]]), [("sgd", {"lr": share / 6})], 1, measure=["alpha"])
    assert history["alpha"][1, 0] == pytest.approx(alpha, abs=1e-12)
    assert not history.all_epochs[0].measured_FR[history.fields.index("alpha")].any()


def test_on_surfaces_sharpness_is_the_larger_eigenvalue_of_the_second_derivatives():
    starts = [[1.5, 0.001], [0.3, -2.0]]
    assert train(surface("x**2 - y**2", starts), [SGD], 1, measure=["sharpness"])["sharpness"][0].tolist() == [2, 2]
    history = train(surface("(1 - x)**2 + 100*(y - x**2)**2", starts), [SGD], 1, measure=["sharpness"])
    for run, (x, y) in enumerate(starts):
        hessian = [[2 + 1200 * x * x - 400 * y, -400 * x], [-400 * x, 200]]
        assert history["sharpness"][0, run] == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-12)
    line = train(surface("x**4", [[2.0]]), [SGD], 1, measure=["sharpness"])
    assert line["sharpness"][0, 0] == 48


def test_a_velocity_builds_up_under_a_constant_gradient_and_is_not_measured_where_there_is_none():
    history = train(surface("x", [[0.0], [0.0]]), [MOMENTUM, SGD], 12, measure=["velocity_norm"])
    np.testing.assert_allclose(history["velocity_norm"][:, 0], (1 - 0.9 ** np.arange(13)) / 0.1, rtol=1e-12)
    measured = history.epochs[-1].measured_FR[history.fields.index("velocity_norm")]
    assert measured.tolist() == [True, False]


def check_against_autograd(loss_of, num_examples, weights, history, run, size):
    """Sharpness, noise scale and variance of one run, from its weights."""
    hessian = torch.autograd.functional.hessian(loss_of(range(num_examples)), weights)
    expected = torch.linalg.eigvalsh(hessian)[-1].item()
    assert history["sharpness"][-1, run] == pytest.approx(expected, rel=1e-6)
    gradients = torch.stack(
        [torch.autograd.functional.jacobian(loss_of([example]), weights) for example in range(num_examples)]
    )
    mean = gradients.mean(0)
    trace = ((gradients - mean) ** 2).sum(1).mean().item()
    assert history["noise_scale"][-1, run] == pytest.approx(trace / (mean @ mean).item(), rel=1e-8)
    share = (num_examples - size) / (size * (num_examples - 1))
    assert history["gradient_variance"][-1, run] == pytest.approx(trace * share, rel=1e-8)


def test_flipnet_is_measured_as_autograd_measures_it():
    trainer = Trainer(Plan(FlipNet([1, 2, 3], batch_size=5), group_runs([SGD], [0, 0, 0]), 2, measure=MEASURES))
    history = History(trainer, list(trainer.run()))
    for run in range(3):
        check_against_autograd(flipnet_loss, 16, weights_of(trainer)[:, run], history, run, 5)


def test_digits_are_measured_as_autograd_measures_them():
    problem = digits([1, 2], train_size=30, hidden=2, batch_size=10)
    trainer = Trainer(Plan(problem, group_runs([MOMENTUM], [0, 0]), 2, measure=MEASURES))
    history = History(trainer, list(trainer.run()))
    inputs, labels = torch.from_numpy(examples()[0].inputs), torch.from_numpy(examples()[0].labels)

    def loss_of(chosen):
        def loss(weights):
            w1, b1, w2, b2 = weights.split([128, 2, 20, 10])
            hidden = torch.relu(inputs[list(chosen)] @ w1.view(2, 64).T + b1)
            return torch.nn.functional.cross_entropy(hidden @ w2.view(10, 2).T + b2, labels[list(chosen)])

        return loss

    for run in range(2):
        check_against_autograd(loss_of, 30, weights_of(trainer)[:, run], history, run, 10)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["cnn", "resnet"])
def test_convolutional_networks_are_measured_as_autograd_measures_them(model):
    problem = digits([1, 2], model, train_size=12, hidden=1, batch_size=5)
    trainer = Trainer(Plan(problem, group_runs([SGD], [0, 0]), 1, measure=MEASURES))
    history = History(trainer, list(trainer.run()))
    inputs, labels = torch.from_numpy(examples()[0].inputs), torch.from_numpy(examples()[0].labels)
    net = plain_network(model, 1).double()
    shapes = {name: values.shape for name, values in net.state_dict().items()}

    def loss_of(chosen):
        def loss(weights):
            parts = weights.split([shape.numel() for shape in shapes.values()])
            state = {name: part.view(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)}
            outputs = torch.func.functional_call(net, state, (inputs[list(chosen)],))
            return torch.nn.functional.cross_entropy(outputs, labels[list(chosen)])

        return loss

    for run in range(2):
        check_against_autograd(loss_of, 12, weights_of(trainer)[:, run], history, run, 5)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_measured_does_not_depend_on_neighbours_or_interruptions(dtype):
    def plan(runs):
        optimizers = [MOMENTUM, SGD, ("adam", {"lr": 0.01})]
        return Plan(FlipNet(runs), group_runs(optimizers, runs % 3), 3, dtype=dtype, measure=MEASURES)

    undisturbed = Trainer(plan(np.arange(50)))
    together = History(undisturbed, list(undisturbed.run()))
    for run in (0, 20, 49):
        trainer = Trainer(plan(np.array([run])))
        alone = History(trainer, list(trainer.run()))
        for field in MEASURES:
            np.testing.assert_array_equal(alone[field][:, 0], together[field][:, run], err_msg=field)
    first = Trainer(plan(np.arange(50)))
    before = list(itertools.islice(first.run(), 2))
    resumed = Trainer(plan(np.arange(50)), first.checkpoint())
    assert History(resumed, [*before, *resumed.run()]).of_runs(range(50)) == together.of_runs(range(50))
