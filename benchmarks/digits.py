"""Training time per run of digits networks: many runs in one stack, and one after another in plain torch."""

import math
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from benchmarks.timing import repeat
from service.settings import get_settings
from service.spec.job import JobSpec
from service.spec.price import price
from service.spec.problems import Digits
from worker.data.digits import examples
from worker.engine.device import use_device
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

RESNET = {
    **MLP,
    "problem": {"kind": "digits", "model": "resnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.05, "momentum": {"from": 0.0, "to": 0.9, "num": 4}}],
    "seeds": {"first": 0, "count": 4},
    "epochs": 4,
}


def measure() -> dict[str, Any]:
    """Measure both for the same runs, with every field of every epoch."""
    use_device(get_settings().device)
    figures: dict[str, Any] = {}
    for name, written in {"mlp": MLP, "resnet": RESNET}.items():
        spec = JobSpec.model_validate(written)
        runs = price(spec).runs_total
        stacked, alone = _stacked(spec) / runs, _one_at_a_time(spec)
        figures[f"{name}, {runs} runs (ms per run)"] = 1_000 * stacked
        figures[f"{name}, one run at a time (ms per run)"] = 1_000 * alone
        figures[f"{name}, {runs} runs, times faster than one run at a time"] = alone / stacked
    return figures


def _stacked(spec: JobSpec) -> float:
    """Time the training of all shards, the best of two after a warm-up."""

    def train_all() -> None:
        for first, num in price(spec).shards():
            for _ in Trainer(plan(spec, first, num)).run():
                pass

    return min(repeat(train_all, 2, warm_ups=1))


def _one_at_a_time(spec: JobSpec, num_runs: int = 3) -> float:
    """Time one run of a plain loop, the best of several after a warm-up."""
    seeds = iter(range(num_runs + 1))
    return min(repeat(lambda: train(spec, next(seeds)), num_runs, warm_ups=1))


class Block(nn.Module):
    """A residual block in plain torch."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        stride = after // before
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.GroupNorm(math.gcd(4, after), after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.GroupNorm(math.gcd(4, after), after)
        self.shortcut = nn.Sequential()
        if stride > 1:
            norm = nn.GroupNorm(math.gcd(4, after), after)
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), norm)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Compute."""
        inner = torch.relu(self.norm1(self.conv1(values)))
        return torch.relu(self.norm2(self.conv2(inner)) + self.shortcut(values))


def network(model: str, width: int) -> nn.Module:
    """Build a network in plain torch."""
    image = nn.Unflatten(1, (1, 8, 8))
    match model:
        case "mlp":
            return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
        case "cnn":
            first = nn.Conv2d(1, width, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2)
            second = nn.Conv2d(width, 2 * width, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2)
            return nn.Sequential(image, *first, *second, nn.Flatten(), nn.Linear(8 * width, 10))
    stem = nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.GroupNorm(math.gcd(4, width), width), nn.ReLU()
    blocks = Block(width, width), Block(width, 2 * width), nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(image, *stem, *blocks, nn.Flatten(), nn.Linear(2 * width, 10))


def train(spec: JobSpec, seed: int, momentum: float = 0.9) -> list[tuple[float, ...]]:
    """Train one network; each epoch ends with the training objective, its gradient's norm, and the test set."""
    training, test = (
        (torch.tensor(part.inputs, dtype=torch.float32), torch.from_numpy(part.labels)) for part in examples()
    )
    torch.manual_seed(seed)
    problem = spec.problem
    assert isinstance(problem, Digits)
    net = network(problem.model, problem.width)
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
