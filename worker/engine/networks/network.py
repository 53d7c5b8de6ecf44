"""What a network offers to a classification problem.

One call computes a network for all runs, each with its own weights. Runs come first, [R, D], since batched matrix
products need each run's matrices in one piece. The optimizers, which work element by element, use the transposed view
of the same memory, [D, R].

    N  examples          I  inputs of an example          O  outputs
"""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

Shape = tuple[int, ...]
# Outputs [R, O, N] → derivatives [R, O, N] of the loss by the outputs.
Slopes = Callable[[Tensor], Tensor]


class Network(Protocol):
    """A function of examples and weights. All runs see the same examples [N, I], or each its own [R, N, I]."""

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of its parameters, in the order in which a row of weights holds them."""
        ...

    @property
    def numbers_per_example(self) -> int:
        """Approximate count of numbers in a forward pass of one example: decides how many examples form a chunk."""
        ...

    @property
    def numbers_at_once(self) -> int | None:
        """Numbers of a forward pass that are computed at once, those of whole runs; None: of all runs."""
        ...

    def start(self, seed: int) -> Tensor:
        """The weights [D] in float32 that torch's layers get by default after manual_seed(seed)."""
        ...

    def outputs(self, weights_RD: Tensor, examples: Tensor) -> Tensor:
        """Outputs [R, O, N]; can be differentiated."""
        ...

    def gradient(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        """The gradient [R, D] from the slopes at the outputs, summed over examples."""
        ...

    def squared_norms(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        """The squared norm [R, N] of the gradient of each example alone."""
        ...
