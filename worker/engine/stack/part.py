"""Updates of the columns of a block that share one update formula."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from worker.engine.numerics.normals import Normals
from worker.engine.protocols import Coefficients, Optimizer, Shapes, State, Stepper
from worker.engine.stack.hyper_parameters import HyperParameterTable
from worker.engine.updates.gradient import CLIPPING, clipped


@dataclass(slots=True)
class Part:
    """Columns start:stop of all columns, of one group: optimizer, hyper-parameters and state."""

    group: int
    start: int
    stop: int
    optimizer: Optimizer
    shapes: Shapes
    terms: frozenset[str]
    hyper_parameters: HyperParameterTable
    normals: Normals
    state: State = field(default_factory=dict)
    first_coefficients: Coefficients = field(default_factory=dict)
    step: Callable[..., tuple[Tensor, State]] = field(init=False)
    clips: bool = field(init=False)
    stepper: Stepper | None = None

    def __post_init__(self) -> None:
        self.step = self.optimizer.for_shapes(self.shapes)
        self.clips = not self.terms.isdisjoint(CLIPPING)

    def begin(self, weights_DR: Tensor) -> None:
        """Initialises the state at the starting weights."""
        if self.optimizer.stepper is not None:
            columns = self.hyper_parameters.columns()
            self.stepper = self.optimizer.stepper(columns, self.terms, self.shapes, weights_DR)
        if self.optimizer.evaluation_point is not None:
            self.first_coefficients = self.hyper_parameters.coefficients(0)
        for name in self.optimizer.state_names(self.terms):
            begin = self.optimizer.state_from.get(name, 0.0)
            if begin == "weights":
                self.state[name] = weights_DR
                continue
            value = self.hyper_parameters.at_start(begin) if isinstance(begin, str) else begin
            size = self.optimizer.state_size(name, self.shapes)
            # State of the weights' shape has their memory order: parameter by parameter, or run by run.
            alike = size == len(weights_DR)
            zeros = torch.zeros_like(weights_DR) if alike else weights_DR.new_zeros(size, self.stop - self.start)
            self.state[name] = zeros + value

    def update(self, weights_DR: Tensor, gradient_DR: Tensor, update: int) -> Tensor:
        """The weights after update number `update`; the state is updated too."""
        coefficients = self.hyper_parameters.coefficients(update)
        if self.clips:
            gradient_DR = clipped(gradient_DR, coefficients, self.terms)
        if self.stepper is not None:
            if "maximize" in self.terms:
                gradient_DR = -gradient_DR
            return self.stepper.update(weights_DR, gradient_DR, *self.hyper_parameters.scheduled(update))
        if self.optimizer.is_random:
            coefficients = {**coefficients, "normal": self.normals.at(update)}
        weights_DR, self.state = self.step(weights_DR, gradient_DR, self.state, coefficients, self.terms)
        return weights_DR

    def evaluation_point(self, weights_DR: Tensor) -> Tensor:
        """The result of the method at present: the weights, or a point derived from them and the state."""
        if self.optimizer.evaluation_point is None:
            return weights_DR
        return self.optimizer.evaluation_point(weights_DR, self.state, self.first_coefficients)


def is_by_run(matrix_DR: Tensor) -> bool:
    """Whether a matrix is in memory run by run; one of a single run is in both orders."""
    return matrix_DR.stride(0) == 1 and matrix_DR.shape[1] > 1


def join_columns(matrices: list[Tensor], *, by_run: bool) -> Tensor:
    """Joins columns of several matrices: in memory run by run, or parameter by parameter.

    The matrices do not show the order: the first may have a single run.
    """
    if by_run:
        return torch.cat([matrix.T for matrix in matrices]).T
    return torch.cat(matrices, 1)
