"""How do the columns of a block that share an optimizer take a step?"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from worker.engine.protocols import Optimizer, Rows, Shapes, State
from worker.engine.stack.hyper_parameters import SettingsTable
from worker.engine.updates.gradient import CLIPPING, clipped


@dataclass(slots=True)
class Part:
    """The columns start:stop of all, which belong to one group: their optimizer, its settings and its state."""

    group: int
    start: int
    stop: int
    optimizer: Optimizer
    shapes: Shapes
    terms: frozenset[str]
    settings: SettingsTable
    state: State = field(default_factory=dict)
    first_rows: Rows = field(default_factory=dict)
    step: Callable[..., tuple[Tensor, State]] = field(init=False)
    clips: bool = field(init=False)

    def __post_init__(self) -> None:
        self.step = self.optimizer.for_shapes(self.shapes)
        self.clips = not self.terms.isdisjoint(CLIPPING)

    def begin(self, weights_DR: Tensor) -> None:
        """Lays out the state for runs that start here."""
        if self.optimizer.evaluation_point is not None:
            self.first_rows = self.settings.rows(0)
        for name in self.optimizer.state_names(self.terms):
            begin = self.optimizer.state_from.get(name, 0.0)
            if begin == "weights":
                self.state[name] = weights_DR
                continue
            value = self.settings.at_start(begin) if isinstance(begin, str) else begin
            num_rows = self.optimizer.num_rows(name, self.shapes)
            # Where it can, state stands in memory as the weights do: parameter by parameter, or run by run.
            alike = num_rows == len(weights_DR)
            zeros = torch.zeros_like(weights_DR) if alike else weights_DR.new_zeros(num_rows, self.stop - self.start)
            self.state[name] = zeros + value

    def update(self, weights_DR: Tensor, gradient_DR: Tensor, update: int) -> Tensor:
        """The weights after update number `update`; the state moves along."""
        rows = self.settings.rows(update)
        if self.clips:
            gradient_DR = clipped(gradient_DR, rows, self.terms)
        weights_DR, self.state = self.step(weights_DR, gradient_DR, self.state, rows, self.terms)
        return weights_DR

    def evaluation_point(self, weights_DR: Tensor) -> Tensor:
        """What the method would answer with now: the weights, or a point that it derives from them and its state."""
        if self.optimizer.evaluation_point is None:
            return weights_DR
        return self.optimizer.evaluation_point(weights_DR, self.state, self.first_rows)


def beside(matrices: list[Tensor]) -> Tensor:
    """Several matrices as one, which stands in memory as they do: parameter by parameter, or run by run."""
    if matrices[0].stride(0) == 1 and matrices[0].shape[1] > 1:
        return torch.cat([matrix.T for matrix in matrices]).T
    return torch.cat(matrices, 1)
