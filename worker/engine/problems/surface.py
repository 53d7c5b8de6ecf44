"""Loss surface over x and y, or x alone, minimised by all runs at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from worker.engine.landscape import GradientNoise, Landscape, start_columns
from worker.engine.numerics.columns import root
from worker.engine.protocols import BatchSize, Evaluation, Shift


class Expression(Protocol):
    """A formula and its derivatives, compiled into one program that shares common terms."""

    @property
    def variables(self) -> tuple[str, ...]: ...

    def compile(self, outputs: tuple[str, ...]) -> Callable[..., tuple[Any, ...]]:
        """A program of outputs "value", "x" for ∂f/∂x, "xy" for ∂²f/∂x∂y; it takes a namespace and the variables."""
        ...


@dataclass(frozen=True, eq=False)
class Surface(Landscape):
    """A surface, with a start and a seed per run. One epoch is one update.

    `noise` is the standard deviation of the noise on each gradient component; `batch_size` divides its variance.
    `minima` are the known global minima, one point per row.
    """

    expression: Expression
    starts: NDArray[np.float64]
    seeds: NDArray[np.int64]
    noise: float = 0.0
    batch_size: BatchSize = 1
    minima: ArrayLike | Sequence[Sequence[float]] = ()
    shift: Shift | None = None

    has_position = True

    @property
    def num_parameters(self) -> int:
        return len(self.expression.variables)

    @property
    def minima_MD(self) -> NDArray[np.float64]:
        return np.asarray(self.minima, dtype=np.float64).reshape(-1, self.num_parameters)

    def objective(self, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> "SurfaceObjective":
        return SurfaceObjective(self, source_R, dtype, device)


class SurfaceObjective:
    """A surface for the columns of one stack."""

    def __init__(self, problem: Surface, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> None:
        self._variables = problem.expression.variables
        self._curvature = problem.expression.compile(("xx", "xy", "yy") if len(self._variables) == 2 else ("xx",))
        self._program = problem.expression.compile(("value", *self._variables))
        self.start_DR = start_columns(problem.starts, source_R, dtype, device)
        self._noise_trace = problem.num_parameters * problem.noise**2
        self._noise = GradientNoise(
            problem.noise, problem.batch_size, problem.seeds[source_R], problem.num_parameters, dtype, device
        )

    def evaluate(self, weights_DR: Tensor) -> Evaluation:
        values = self._program(torch, **dict(zip(self._variables, weights_DR, strict=True)))
        return Evaluation(values[0], torch.stack(values[1:]))

    def loss(self, weights_DR: Tensor) -> Tensor:
        return self.evaluate(weights_DR).loss_R

    def batch(self, weights_DR: Tensor, step: int, known: Evaluation | None) -> tuple[Tensor, Tensor]:
        known = known or self.evaluate(weights_DR)
        return known.loss_R[None], self._noise.added_to(known.gradient_DR, step)

    def sharpness(self, weights_DR: Tensor) -> Tensor:
        second: tuple[Tensor, ...] = self._curvature(torch, **dict(zip(self._variables, weights_DR, strict=True)))
        if len(second) == 1:
            return second[0]
        xx_R, xy_R, yy_R = second
        half_R = (xx_R - yy_R) / 2
        return (xx_R + yy_R) / 2 + root(half_R * half_R + xy_R * xy_R)

    def noise_trace(self, weights_DR: Tensor, gradient_DR: Tensor) -> Tensor:
        return torch.full_like(gradient_DR[0], self._noise_trace)
