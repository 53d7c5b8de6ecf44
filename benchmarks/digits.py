"""How much faster do many digits networks train in one stack than one after another in plain torch?"""

import time
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from service.spec.job import JobSpec
from service.spec.price import price
from worker.engine.device import use_device
from worker.engine.problems.digits import examples
from worker.engine.trainer import Trainer
from worker.plan import plan

MLP = {
    "problem": {"kind": "digits", "model": "mlp", "hidden": 32},
    "optimizers": [
        {"kind": "momentum", "lr": 0.05, "momentum": {"from": 0.0, "to": 0.9, "num": 8}},
    ],
    "seeds": {"first": 0, "count": 5},
    "epochs": 20,
    "batch_size": 32,
}


def measure() -> dict[str, Any]:
    """Measure both ways of training the same runs, with every field of every epoch."""
    use_device("cpu")
    figures: dict[str, Any] = {}
    for name, written in {"mlp": MLP}.items():
        spec = JobSpec.model_validate(written)
        runs = price(spec).runs_total
        stacked, alone = _stacked(spec) / runs, _one_at_a_time(spec)
        figures[f"{name}, {runs} runs (ms per run)"] = 1_000 * stacked
        figures[f"{name}, one run at a time (ms per run)"] = 1_000 * alone
        figures[f"{name}, {runs} runs, times faster than one run at a time"] = alone / stacked
    return figures


def _stacked(spec: JobSpec) -> float:
    """Train all shards one after another; the best of three, after a warm-up."""
    times = []
    for _ in range(4):
        started = time.perf_counter()
        for first, num in price(spec).shards():
            for _ in Trainer(plan(spec, first, num)).run():
                pass
        times.append(time.perf_counter() - started)
    return min(times[1:])


def _one_at_a_time(spec: JobSpec, num_runs: int = 4) -> float:
    """Time a run of a plain loop, the best of a few after a warm-up."""
    times = []
    for seed in range(num_runs + 1):
        started = time.perf_counter()
        train(spec, seed)
        times.append(time.perf_counter() - started)
    return min(times[1:])


def network() -> nn.Module:
    """Build the network as torch's users write it."""
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def train(spec: JobSpec, seed: int, momentum: float = 0.9) -> list[tuple[float, ...]]:
    """Train one network; each epoch ends with the training objective, its gradient's norm, and the test set."""
    training, test = (
        (torch.tensor(part.inputs, dtype=torch.float32), torch.from_numpy(part.labels)) for part in examples()
    )
    torch.manual_seed(seed)
    net = network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=momentum)
    size = int(spec.batch_size)
    history: list[tuple[float, ...]] = []
    for _ in range(spec.epochs):
        order = torch.randperm(len(training[0]))
        for chosen in torch.split(order, size):
            optimizer.zero_grad()
            loss = cross_entropy(net(training[0][chosen]), training[1][chosen])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        net.zero_grad()
        scores = _scores(net, *training, differentiate=True)
        gradient = [weight.grad.norm() for weight in net.parameters() if weight.grad is not None]
        with torch.no_grad():
            history.append((*scores, torch.stack(gradient).norm().item(), *_scores(net, *test)))
    return history


def _scores(
    net: nn.Module, inputs: torch.Tensor, labels: torch.Tensor, differentiate: bool = False
) -> tuple[float, float]:
    outputs = net(inputs)
    loss = cross_entropy(outputs, labels)
    if differentiate:
        loss.backward()  # type: ignore[no-untyped-call]
    return loss.item(), (outputs.argmax(1) == labels).double().mean().item()
