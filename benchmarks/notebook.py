"""The baseline: a plain loop with torch.optim, one run after another, one mini-batch after another."""

import torch
from torch import nn

from benchmarks.timing import repeat

PIXELS = torch.tensor([[(i >> s) & 1 for s in (3, 2, 1, 0)] for i in range(16)], dtype=torch.float32)
FLIPPED = PIXELS[:, [0, 2, 1, 3]]


def train(momentum: float, epochs: int) -> list[float]:
    """Train FlipNet once, batch size 1, lr 0.05, seed 42; give the mean loss of each epoch."""
    torch.manual_seed(42)
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 4))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=momentum)
    history = []
    for _ in range(epochs):
        total = 0.0
        for image, target in zip(PIXELS, FLIPPED, strict=True):
            loss = ((net(image) - target) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        history.append(total / 16)
    return history


def seconds_per_run(num_runs: int = 20, epochs: int = 30) -> float:
    """Time the fastest of several runs, on one thread and without imports."""
    torch.set_num_threads(1)
    train(0.9, 2)
    momenta = iter([0.99 * k / max(1, num_runs - 1) for k in range(num_runs)])
    return min(repeat(lambda: train(next(momenta), epochs), num_runs))
