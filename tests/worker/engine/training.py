"""Shared functions of the tests of the engine: training to the end, and loops of torch.optim for comparison."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from service.spec.formulas.expression import parse
from tests.groups import group_runs
from tests.worker.engine.twins import TWINS, twin_settings
from worker.engine.problems import Surface
from worker.engine.protocols import Problem
from worker.engine.trainer import Epoch, Plan, Trainer

Settings = tuple[str, Mapping[str, float | bool]]
ROSENBROCK = "(1 - x)**2 + 100*(y - x**2)**2"
EIGENVALUES = np.linspace(0.5, 10, 10)


class History:
    """All epochs yielded by a training; history["loss"] is an array [epochs, runs] of the kept epochs."""

    def __init__(self, trainer: Trainer, epochs: Sequence[Epoch]) -> None:
        self.fields = trainer.fields
        self.all_epochs = list(epochs)
        self.epochs = [epoch for epoch in epochs if epoch.values_FR is not None]

    def __getitem__(self, field: str) -> NDArray[np.float64]:
        index = self.fields.index(field)
        return np.stack([epoch.values_FR[index] for epoch in self.epochs if epoch.values_FR is not None])

    @property
    def numbers(self) -> list[int]:
        return [epoch.number for epoch in self.epochs]

    def of_runs(self, runs: Sequence[int] | NDArray[np.int64]) -> list[tuple[Any, ...]]:
        """Per run and epoch: its flags, and the bits of its measured values if it was kept."""
        rows = []
        for run in runs:
            for epoch in self.all_epochs:
                kept = epoch.kept_R is not None and bool(epoch.kept_R[run])
                # The fields of a history depend on all optimizers of the plan: Adagrad alone has no momentum.
                exists_F = epoch.measured_FR[:, run]
                bits = epoch.values_FR[exists_F, run].tobytes() if kept and epoch.values_FR is not None else b""
                if kept or epoch.diverged_R[run]:
                    rows.append((epoch.number, bool(epoch.diverged_R[run]), kept, bits))
        return rows


def train(problem: Problem, optimizers: Sequence[Settings], epochs: int, **plan: Any) -> History:
    """Trains one run per optimizer, in their order, or all runs with a single optimizer."""
    which = np.zeros(problem.num_runs, int) if len(optimizers) == 1 else np.arange(problem.num_runs)
    trainer = Trainer(Plan(problem, group_runs(optimizers, which), epochs, **plan))
    return History(trainer, list(trainer.run()))


def final_weights(problem: Problem, optimizers: Sequence[Settings], epochs: int) -> NDArray[np.generic]:
    """The final weights [D, runs] of one run per optimizer."""
    trainer = Trainer(Plan(problem, group_runs(optimizers, range(len(optimizers))), epochs))
    *_, last = trainer.run()
    assert last.number == epochs, "no run may diverge"
    return trainer.checkpoint()["weights"]


def assert_equal(found_D: NDArray[np.generic], expected_D: torch.Tensor) -> None:
    """Checks that numbers are equal to 1e-9, relative to each number or to the largest."""
    scale = expected_D.abs().max().item()
    np.testing.assert_allclose(found_D, expected_D.numpy(), rtol=1e-9, atol=1e-9 * scale)


def surface(
    formula: str, starts: Sequence[Sequence[float]], seeds: Sequence[int] | None = None, **more: Any
) -> Surface:
    """A surface with one run per start."""
    seeds = [0] * len(starts) if seeds is None else seeds
    return Surface(parse(formula), np.array(starts, float), np.array(seeds), **more)


def torch_loop(
    start: torch.Tensor,
    losses: Sequence[Callable[[torch.Tensor], torch.Tensor]],
    optimizer: Settings,
    shapes: Sequence[tuple[int, ...]] | None = None,
) -> tuple[torch.Tensor, list[float]]:
    """A plain loop with one update for each loss: the weights after it, and each loss before its update."""
    parameters, twin = torch_twin(start, optimizer, shapes)
    seen = []
    for loss_of in losses:
        seen.append(torch_update(parameters, twin, loss_of))
    return flat(parameters).detach(), seen


def torch_twin(
    start: torch.Tensor, optimizer: Settings, shapes: Sequence[tuple[int, ...]] | None = None
) -> tuple[list[torch.Tensor], Any]:
    """The parameters of a plain loop, as tensors of these shapes, and their optimizer."""
    kind, settings = optimizer
    shapes = shapes or [(len(start),)]
    pieces = start.split([math.prod(shape) for shape in shapes])
    parameters = [piece.clone().view(shape).requires_grad_() for piece, shape in zip(pieces, shapes, strict=True)]
    return parameters, TWINS[kind](parameters, **twin_settings(kind, settings))


def torch_update(
    parameters: Sequence[torch.Tensor], twin: Any, loss_of: Callable[[torch.Tensor], torch.Tensor]
) -> float:
    """One update; the loss before it."""
    twin.zero_grad()
    loss = loss_of(flat(parameters))
    loss.backward()
    # torch keeps some scalars of its state in the default dtype, also where weights are in float64.
    torch.set_default_dtype(parameters[0].dtype)
    try:
        twin.step()
    finally:
        torch.set_default_dtype(torch.float32)
    return loss.item()


def flat(parameters: Sequence[torch.Tensor]) -> torch.Tensor:
    """All parameters as one vector."""
    return torch.cat([parameter.flatten() for parameter in parameters])


def flipnet_loss(images: Sequence[int]) -> Callable[[torch.Tensor], torch.Tensor]:
    """FlipNet's loss on some of its images, as torch's own layers compute it."""
    pixels = torch.tensor([[image >> bit & 1 for bit in (3, 2, 1, 0)] for image in images], dtype=torch.float64)
    targets = pixels[:, [0, 2, 1, 3]]

    def loss(weights: torch.Tensor) -> torch.Tensor:
        w1, b1, w2, b2 = weights.split([12, 3, 12, 4])
        hidden = torch.relu(torch.nn.functional.linear(pixels.to(weights), w1.view(3, 4), b1))
        outputs = torch.nn.functional.linear(hidden, w2.view(4, 3), b2)
        return torch.nn.functional.mse_loss(outputs, targets.to(weights))

    return loss


def rosenbrock(weights: torch.Tensor) -> torch.Tensor:
    """Rosenbrock's valley at a point [2]."""
    x, y = weights
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def quadratic_loss(weights: torch.Tensor) -> torch.Tensor:
    """½ Σ λᵢ wᵢ² in ten dimensions."""
    return (torch.from_numpy(EIGENVALUES) * weights**2).sum() / 2
