"""How is a formula in x and y minimised, by all runs at once?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from worker.engine.layout import COLUMNS_MULTIPLE
from worker.engine.problems.noise import GradientNoise
from worker.engine.problems.points import checked_starts, start_columns
from worker.engine.protocols import BatchSize, Evaluation, Shapes, Shift


class Expression(Protocol):
    """A formula that knows its derivatives: compiled, it computes several of them from one set of shared terms."""

    @property
    def variables(self) -> tuple[str, ...]: ...

    def compile(self, outputs: tuple[str, ...]) -> Callable[..., tuple[Any, ...]]:
        """`outputs` are "value", "x" for ∂f/∂x, "xy" for ∂²f/∂x∂y; the result takes a namespace and the variables."""
        ...


@dataclass(frozen=True, eq=False)
class Surface:
    """A surface, with a start and a seed per run. One epoch is one update.

    `noise` is the standard deviation of what is added to each component of a gradient, `batch_size` divides its
    variance; `minima` are the known global minima, one point a row.
    """

    expression: Expression
    starts: NDArray[np.float64]
    seeds: NDArray[np.int64]
    noise: float = 0.0
    batch_size: BatchSize = 1
    minima: ArrayLike | Sequence[Sequence[float]] = ()
    shift: Shift | None = None

    has_accuracy = False
    has_test = False
    columns_multiple = COLUMNS_MULTIPLE
    has_position = True
    whole = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", np.asarray(self.seeds, dtype=np.int64))
        object.__setattr__(self, "starts", checked_starts(self.starts, len(self.seeds), self.num_parameters))

    @property
    def num_runs(self) -> int:
        return len(self.seeds)

    @property
    def num_parameters(self) -> int:
        return len(self.expression.variables)

    @property
    def shapes(self) -> Shapes:
        return ((self.num_parameters,),)

    @property
    def minima_MD(self) -> NDArray[np.float64]:
        return np.asarray(self.minima, dtype=np.float64).reshape(-1, self.num_parameters)

    def num_batches(self, accumulate: int) -> int:
        return accumulate

    def variance_share(self, accumulate: int) -> float:
        return 0.0 if self.batch_size == "full" else 1 / (self.batch_size * accumulate)

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
        return (xx_R + yy_R) / 2 + torch.sqrt(half_R * half_R + xy_R * xy_R)

    def noise_trace(self, weights_DR: Tensor, gradient_DR: Tensor) -> Tensor:
        return torch.full_like(gradient_DR[0], self._noise_trace)
