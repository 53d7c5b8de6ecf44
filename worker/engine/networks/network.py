"""Which networks are there, and what does a problem with examples need to know of one?

A network is stacked: one call computes it for all runs, each with weights of its own. Here runs come first, [R, D]:
batched matrix products want each run's matrices in one piece. The optimizers, which work element by element, get the
same memory seen from the other side, [D, R].

    N  examples          I  inputs of an example          O  outputs
"""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

Shape = tuple[int, ...]
# The derivatives [R, O, N] of what is minimised by the outputs [R, O, N].
Slopes = Callable[[Tensor], Tensor]


class Network(Protocol):
    """A function of examples and weights. All runs see the same examples [N, I], or each its own [R, N, I]."""

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of its parameters, in the order in which a row of weights holds them."""
        ...

    @property
    def numbers_per_example(self) -> int:
        """About how many numbers a forward pass makes of one example: decides how many examples are taken at once."""
        ...

    def start(self, seed: int) -> Tensor:
        """The weights [D] in float32 that torch's layers get by default after manual_seed(seed)."""
        ...

    def outputs(self, weights_RD: Tensor, examples: Tensor) -> Tensor:
        """Outputs [R, O, N]; can be differentiated."""
        ...

    def gradient(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        """The gradient [R, D] that the slopes at the outputs cause, summed over examples."""
        ...

    def squared_norms(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        """The squared norm [R, N] of the gradient that each example causes by itself."""
        ...
