"""Causal transformers of many runs at once.

Every linear layer is one batched product of the weights of each run with [R, units, N · C]. Both passes are written
out; for the sharpness and the norms of single examples autograd differentiates the forward pass.

    C  tokens of an example, the context      V  different tokens      W  width      H  heads

Vaswani et al., Attention Is All You Need, 2017; with norms before each part: Xiong et al., On Layer Normalization in
the Transformer Architecture, 2020.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from worker.engine.networks import by_autograd, causal
from worker.engine.networks.initial import default_weights
from worker.engine.networks.network import Shape, Slopes

# Three runs with 32 examples of 32 tokens of width 32: so many numbers stay near the processor's cache.
NUMBERS_AT_ONCE = 2**22


@dataclass(frozen=True)
class Transformer:
    """Embeddings of tokens and positions, layers of attention and perceptrons, a norm and a linear layer.

    Examples are numbers of tokens, [N, C] or [R, N, C]; outputs are [R, V, N, C].
    """

    num_tokens: int
    context: int
    width: int
    heads: int
    num_layers: int

    @cached_property
    def layers(self) -> tuple[tuple[Shape, Shape], ...]:
        """Shapes of weight and bias of each layer, in the order in which torch would make them."""
        width = self.width
        norm, one = ((width,), (width,)), self._linear(width, width)
        layer = norm, self._linear(width, 3 * width), one, norm, self._linear(width, 4 * width)
        embeddings: list[tuple[Shape, Shape]] = [((self.num_tokens, width), ()), ((self.context, width), ())]
        layers = [*layer, self._linear(4 * width, width)] * self.num_layers
        return *embeddings, *layers, norm, self._linear(width, self.num_tokens)

    @staticmethod
    def _linear(before: int, after: int) -> tuple[Shape, Shape]:
        return (after, before), (after,)

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        return tuple(shape for layer in self.layers for shape in layer if shape)

    @property
    def numbers_per_example(self) -> int:
        layer = 18 * self.width + 3 * self.heads * self.context
        return self.context * (self.num_layers * layer + 3 * self.width + 3 * self.num_tokens)

    @property
    def numbers_at_once(self) -> int:
        return NUMBERS_AT_ONCE

    def start(self, seed: int) -> Tensor:
        return _start(self, seed)

    def outputs(self, weights_RD: Tensor, examples: Tensor) -> Tensor:
        return self._forward(weights_RD, examples)[0]

    def gradient(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        outputs, known = self._forward(weights_RD, examples)
        parts = causal.backward(known, slopes(outputs).flatten(2))
        return torch.cat([part.flatten(1) for part in parts], 1)

    def squared_norms(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        return by_autograd.squared_norms(self, weights_RD, examples, slopes)

    def _forward(self, weights_RD: Tensor, examples: Tensor) -> tuple[Tensor, causal.Forward]:
        """The outputs [R, V, N, C], and what the backward pass needs."""
        num_runs, (num, context) = len(weights_RD), examples.shape[-2:]
        shapes = (self.num_tokens + self.context, self.width), *self.shapes[2:]
        split = weights_RD.split_with_sizes([math.prod(shape) for shape in shapes], 1)
        weights = [part.view(num_runs, *shape) for part, shape in zip(split, shapes, strict=True)]
        tokens = examples.expand(num_runs, num, context)
        outputs, known = causal.forward(weights, tokens, self.num_tokens, self.heads)
        return outputs.view(num_runs, self.num_tokens, num, context), known


@lru_cache(maxsize=2_000)
def _start(network: Transformer, seed: int) -> Tensor:
    return default_weights(seed, network.layers, num_embeddings=2)
