"""Every run of a stack on data equals the model trained by a plain torch loop."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from service.spec.datasets.table import Table
from service.spec.job import JobSpec
from tests.on_data import categories, images, numbers, resolved, table_of, trained
from tests.worker.data.plain_models import plain_model
from worker.engine.numerics.random import permutations
from worker.engine.supervised.setup import Examples
from worker.plan import plan

OPTIMIZERS = [
    {"kind": "momentum", "lr": 0.1, "momentum": 0.9},
    {"kind": "sgd", "lr": 0.2},
    {"kind": "adam", "lr": 0.01},
]
TWINS = [
    lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
    lambda parameters: torch.optim.SGD(parameters, lr=0.2),
    lambda parameters: torch.optim.Adam(parameters, lr=0.01),
]
PICTURES = Table((images("x", (70, 9, 6, 3)), categories("y", [f"c{number % 3}" for number in range(70)])))
TARGETS = Table((images("x", (70, 9, 6, 3)), numbers("y", [number % 7 / 3 for number in range(70)])))
# Problem, its own table, and other fields of the spec.
CASES: dict[str, tuple[dict[str, Any], Table | None, dict[str, Any]]] = {
    "linear, regression": ({"dataset": "diabetes"}, None, {}),
    "linear, regression, batches": ({"dataset": "diabetes", "l2": 0.1}, None, {"batch_size": 50, "shuffle": True}),
    "linear, two classes": ({"dataset": "breast_cancer", "l2": 0.01}, None, {}),
    "linear, three classes": ({"dataset": "wine", "scale": "whiten"}, None, {}),
    "mlp, regression": ({"dataset": "diabetes", "model": {"kind": "mlp", "widths": [5]}}, None, {"accumulate": 2}),
    "mlp, gelu": ({"dataset": "iris", "model": {"kind": "mlp", "widths": [6, 5], "activation": "gelu"}}, None, {}),
    "mlp, tanh": ({"dataset": "iris", "model": {"kind": "mlp", "widths": [6], "activation": "tanh"}}, None, {}),
    "mlp, sigmoid": ({"dataset": "iris", "model": {"kind": "mlp", "widths": [6], "activation": "sigmoid"}}, None, {}),
    "mlp, linear": ({"dataset": "iris", "model": {"kind": "mlp", "widths": [6], "activation": "linear"}}, None, {}),
    "mlp, relu": ({"dataset": "iris", "model": {"kind": "mlp", "widths": [6]}, "l2": 0.1}, None, {}),
    "cnn": ({"model": {"kind": "cnn", "channels": [2, 3]}, "l2": 0.1}, PICTURES, {}),
    "cnn, regression": ({"model": {"kind": "cnn", "channels": [2]}}, TARGETS, {"shuffle": False}),
    "resnet": ({"model": {"kind": "resnet", "channels": 4}}, PICTURES, {"batch_size": 20}),
    "resnet, regression": ({"model": {"kind": "resnet", "channels": 2}, "l2": 0.1}, TARGETS, {"batch_size": 20}),
    "transformer": (
        {
            "dataset": "zipf",
            "train_size": 30,
            "test_share": 0.002,
            "model": {"kind": "transformer", "layers": 2, "width": 6, "heads": 3, "context": 8},
        },
        None,
        {"batch_size": 8},
    ),
}


def tensors(examples: Examples) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(examples.inputs), torch.from_numpy(examples.labels)


def loss_of(net: nn.Module, inputs: Tensor, labels: Tensor, l2: float = 0.0) -> Tensor:
    outputs = net(inputs)
    is_regression = labels.is_floating_point()
    loss = (
        functional.mse_loss(outputs.squeeze(1), labels) / 2
        if is_regression
        else functional.cross_entropy(outputs, labels)
    )
    squares = [weight.square().sum() for weight in net.parameters() if weight.dim() > 1]
    return loss + l2 / 2 * sum(squares) if l2 else loss


def score_of(net: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    outputs = net(inputs)
    if labels.is_floating_point():
        return 1 - ((outputs.squeeze(1) - labels).square().sum() / (labels - labels.mean()).square().sum()).item()
    return (outputs.argmax(1) == labels).double().mean().item()


def epoch_of_a_plain_loop(spec: JobSpec, net: nn.Module, optimizer: Any, data: Any, seed: int, epoch: int) -> float:
    inputs, labels = data
    num = len(inputs)
    size = num if spec.batch_size == "full" else spec.batch_size
    order = torch.arange(num)
    if spec.shuffle and size < num:
        order = torch.from_numpy(permutations(np.array([seed]), np.array([epoch]), num)[0, :, 0])
    losses = []
    for update in torch.split(order, size * spec.accumulate):
        optimizer.zero_grad()
        batches = torch.split(update, size)
        for chosen in batches:
            loss = loss_of(net, inputs[chosen], labels[chosen], spec.problem.l2 or 0.0)
            (loss / len(batches)).backward()
            losses.append(loss.item())
        optimizer.step()
    return float(np.mean(losses))


@pytest.mark.parametrize("case", CASES)
def test_an_epoch_equals_a_plain_torch_loop(case: str) -> None:
    problem, own, more = CASES[case]
    seeds = [3, 4]
    spec = resolved(problem, own, OPTIMIZERS, seeds=seeds, epochs=2, dtype="float64", **more)
    table = own or table_of(problem)
    trainer, history = trained(spec, table)
    setup = plan(spec, 0, 1, table=table).problem._setup  # type: ignore[attr-defined]
    data, tested, l2 = tensors(setup.training), tensors(setup.test), spec.problem.l2 or 0.0
    for run, (twin, seed) in enumerate((twin, seed) for twin in TWINS for seed in seeds):
        net = plain_model(spec.problem, seed)
        assert sum(weight.numel() for weight in net.parameters()) == spec.problem.num_parameters
        optimizer = twin(net.parameters())
        for epoch in range(2):
            seen = epoch_of_a_plain_loop(spec, net, optimizer, data, seed, epoch)
            assert history["train_loss"][epoch + 1, run] == pytest.approx(seen, rel=1e-9)
        weights = torch.cat([weight.flatten() for weight in net.parameters()]).detach()
        found = torch.from_numpy(trainer.checkpoint()["weights"])[:, run]
        torch.testing.assert_close(found, weights, rtol=1e-9, atol=1e-10)
        net.zero_grad()
        loss = loss_of(net, *data, l2)
        loss.backward()
        score = "r2" if setup.head.score == "r2" else "accuracy"
        expected = {
            "loss": loss.item(),
            "grad_norm": torch.cat([weight.grad.flatten() for weight in net.parameters()]).norm().item(),
            "test_loss": loss_of(net, *tested).item(),
            score: score_of(net, *data),
            f"test_{score}": score_of(net, *tested),
        }
        for field, value in expected.items():
            assert history[field][-1, run] == pytest.approx(value, rel=1e-8, abs=1e-10), field


@pytest.mark.parametrize("case", CASES)
def test_the_initial_weights_are_exactly_those_of_torch(case: str) -> None:
    problem, own, _ = CASES[case]
    spec = resolved(problem, own, seeds=[42], epochs=1, dtype="float32")
    trainable = plan(spec, 0, 1, table=own or table_of(problem)).problem
    start = trainable.objective(np.array([0]), torch.float32, torch.device("cpu")).start_DR[:, 0]
    expected = torch.cat([weight.flatten() for weight in plain_model(spec.problem, 42).float().parameters()])
    assert torch.equal(start, expected)


@pytest.mark.parametrize("case", CASES)
def test_the_counts_of_the_service_are_those_of_the_engine(case: str) -> None:
    problem, own, _ = CASES[case]
    spec = resolved(problem, own, epochs=1)
    trainable = plan(spec, 0, 1, table=own or table_of(problem)).problem
    setup = trainable._setup  # type: ignore[attr-defined]
    assert spec.problem.num_parameters == trainable.num_parameters
    assert spec.problem.num_examples == len(setup.training)
    assert spec.problem.numbers_per_example == setup.network.numbers_per_example
    assert spec.updates_per_epoch == trainable.num_batches(1)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("case", ["linear, regression", "mlp, gelu", "cnn", "resnet", "transformer"])
def test_extra_fields_are_those_of_a_plain_computation(case: str) -> None:
    problem, own, _ = CASES[case]
    problem = {**problem, "train_size": 12, **({"l2": 0.1} if case != "transformer" else {})}
    more = {"dtype": "float64", "batch_size": "full", "measure": ["sharpness", "gradient_variance", "noise_scale"]}
    spec = resolved(problem, own, seeds=[1], epochs=1, **more)
    table = own or table_of(problem)
    trainer, history = trained(spec, table)
    setup = plan(spec, 0, 1, table=table).problem._setup  # type: ignore[attr-defined]
    inputs, labels = tensors(setup.training)
    net, weights = plain_model(spec.problem, 1), torch.from_numpy(trainer.checkpoint()["weights"])[:, 0]
    nn.utils.vector_to_parameters(weights, net.parameters())

    def gradient(rows: slice, *, graph: bool = False) -> Tensor:
        loss = loss_of(net, inputs[rows], labels[rows], spec.problem.l2 or 0.0)
        return torch.cat([one.flatten() for one in torch.autograd.grad(loss, net.parameters(), create_graph=graph)])

    whole = gradient(slice(None))
    each = torch.stack([gradient(slice(at, at + 1)) for at in range(len(inputs))])
    trace = (each - whole).square().sum(1).mean().item()
    assert history["noise_scale"][-1, 0] == pytest.approx(trace / whole.square().sum().item(), rel=1e-6)
    if case in ("linear, regression", "mlp, gelu"):
        slopes = gradient(slice(None), graph=True)
        rows = [torch.autograd.grad(slope, net.parameters(), retain_graph=True) for slope in slopes]
        hessian = torch.stack([torch.cat([one.flatten() for one in row]) for row in rows])
        assert history["sharpness"][-1, 0] == pytest.approx(torch.linalg.eigvalsh(hessian)[-1].item(), rel=1e-5)
    else:
        assert np.isfinite(history["sharpness"]).all()
