"""Multilayer perceptrons of all runs at once, forwards and backwards.

All layers are batched matrix products of activations [R, units, N]. In this order the products of narrow layers and the
softmax over outputs are faster than as [R, N, units] (40 runs, 32 examples, 64 → 32 → 10: 14 µs against 30 µs for the
outputs, 8 µs against 159 µs for the softmax). The backward pass is written out: it builds no graph and needs fewer
calls than autograd.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from worker.engine.networks.initial import default_weights
from worker.engine.networks.network import Shape, Slopes

# The function, and the backward pass of slopes through it, given its value; of GELU, given its argument.
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    "relu": (torch.relu, lambda slopes, value: torch.ops.aten.threshold_backward(slopes, value, 0)),
    "tanh": (torch.tanh, lambda slopes, value: slopes * (1 - value * value)),
    "sigmoid": (torch.sigmoid, lambda slopes, value: slopes * (value * (1 - value))),
    "gelu": (functional.gelu, lambda slopes, argument: torch.ops.aten.gelu_backward(slopes, argument)),
    "linear": (lambda value: value, lambda slopes, value: slopes),
}
BY_ARGUMENT = ("gelu",)


# Numbers to whose multiple aligned matrices are padded: 64 bytes are 16 numbers in float32.
ALIGNMENT = 16
# Rows of a product over all runs to whose multiple it is padded.
ROWS = 4


@dataclass(frozen=True)
class MLP:
    """Linear layers of these widths, inputs first, outputs last, with an activation between them.

    `is_aligned` makes the matrices of every run begin alike in memory, and the rows of a product over all runs come in
    full groups: the products of a run then have the same bits among any others (MKL 2024.2). The kinds `digits` and
    `playground` keep the bits that they had without it.
    """

    widths: tuple[int, ...]
    activation: str = "relu"
    is_aligned: bool = False

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return tuple(shape for before, after in pairwise(self.widths) for shape in ((after, before), (after,)))

    @property
    def numbers_per_example(self) -> int:
        return sum(self.widths)

    @property
    def numbers_at_once(self) -> int | None:
        return None

    def start(self, seed: int) -> Tensor:
        return _start(self.widths, seed)

    def outputs(self, weights_RD: Tensor, examples: Tensor) -> Tensor:
        num_runs, num = len(weights_RD), examples.shape[-2]
        weights_RD, examples = self._aligned(weights_RD, examples)
        return self._forward(self._layers(weights_RD), examples)[0][-1][:num_runs, :, :num]

    def gradient(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        num_runs, num = len(weights_RD), examples.shape[-2]
        weights_RD, examples = self._aligned(weights_RD, examples)
        layers = self._layers(weights_RD)
        values, known = self._forward(layers, examples)
        outputs_RON = values[-1]
        slopes_RON = _padded(slopes(outputs_RON[:num_runs, :, :num].contiguous()), outputs_RON.shape)
        parts: list[Tensor] = []
        for value, back_RON in self._backward(layers, values, known, slopes_RON):
            more = -value.shape[-2] % ALIGNMENT if self.is_aligned else 0
            parts = [_products(back_RON, value, more).flatten(1), back_RON.sum(2), *parts]
        return torch.cat(parts, 1)[:num_runs]

    def squared_norms(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        """Norms of outer products: an example's gradient of a layer is slopes times (inputs, 1).

        Goodfellow, Efficient Per-Example Gradient Computations, 2015.
        """
        layers = self._layers(weights_RD)
        values, known = self._forward(layers, examples)
        squares: Tensor | float = 0.0
        for value, back_RON in self._backward(layers, values, known, slopes(values[-1])):
            squares = squares + (back_RON * back_RON).sum(1) * ((value * value).sum(-2) + 1)
        assert isinstance(squares, Tensor)
        return squares

    def _aligned(self, weights_RD: Tensor, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Weights and examples with zeros behind each run's numbers, and whole runs of zeros."""
        if not self.is_aligned:
            return weights_RD, examples
        more_runs = -len(weights_RD) % ROWS if examples.dim() == 2 else 0
        weights_RD = functional.pad(weights_RD, (0, -weights_RD.shape[1] % ALIGNMENT, 0, more_runs))
        # Padding by nothing would copy: an eighth of the time of batches of 128 images of 784 pixels.
        more = -examples.shape[-2] % ALIGNMENT
        return weights_RD, functional.pad(examples, (0, 0, 0, more)) if more else examples

    def _layers(self, weights_RD: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Weights [R, out, in] and biases [R, out, 1] of each layer: views of the rows."""
        sizes = [prod(shape) for shape in self.shapes]
        parts = weights_RD[:, : sum(sizes)].split_with_sizes(sizes, 1)
        return [
            (weight.view(-1, *shape), bias.unsqueeze(2))
            for weight, bias, shape in zip(parts[::2], parts[1::2], self.shapes[::2], strict=True)
        ]

    def _forward(self, layers: list[tuple[Tensor, Tensor]], examples: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """The inputs of each layer, and the outputs, as [R, units, N]; examples shared by all runs are [I, N].

        Also, for each layer, what the backward pass of the activation before it needs.
        """
        activate, _ = ACTIVATIONS[self.activation]
        values = [examples.mT]
        known = values if self.activation not in BY_ARGUMENT else [examples.mT]
        for number, (weight, bias) in enumerate(layers):
            # Examples shared by all runs are multiplied with the weights of all runs in one product.
            sums = torch.matmul(weight, values[-1]).add_(bias)
            values.append(sums if number == len(layers) - 1 else activate(sums))
            if known is not values:
                known.append(sums)
        return values, known

    def _backward(
        self, layers: list[tuple[Tensor, Tensor]], values: list[Tensor], known: list[Tensor], slopes_RON: Tensor
    ) -> list[tuple[Tensor, Tensor]]:
        """For each layer, the last one first: its inputs, and the slopes [R, out, N] at its outputs."""
        _, back = ACTIVATIONS[self.activation]
        pairs = []
        back_RON = slopes_RON
        for number in reversed(range(len(layers))):
            pairs.append((values[number], back_RON))
            if number > 0:
                back_RON = back(torch.bmm(layers[number][0].mT, back_RON), known[number])
        return pairs


def _padded(values: Tensor, shape: Sequence[int]) -> Tensor:
    """Values [R, O, N] with zeros up to a shape."""
    pads = [pad for have, want in zip(reversed(values.shape), reversed(shape), strict=True) for pad in (0, want - have)]
    return functional.pad(values, pads) if any(pads) else values


def _products(back_RON: Tensor, value: Tensor, more: int = 0) -> Tensor:
    """Σ slope × input over the examples: [R, out, in]; computed with `more` inputs of zeros."""
    if more:
        return _products(back_RON, functional.pad(value, (0, 0, 0, more)))[:, :, :-more]
    if value.dim() == 3:
        return torch.bmm(back_RON, value.mT)
    return torch.matmul(back_RON, value.mT)


@lru_cache(maxsize=10_000)
def _start(widths: tuple[int, ...], seed: int) -> Tensor:
    return default_weights(seed, [((after, before), (after,)) for before, after in pairwise(widths)])
