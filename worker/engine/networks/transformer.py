"""Causal transformers of all runs at once, forwards and, by autograd, backwards.

Every linear layer is one batched product of [R, N · C, units] with the weights of each run. Attention is written out,
because it has to be differentiated twice for the sharpness.

    C  tokens of an example, the context      V  different tokens      W  width      H  heads

Vaswani et al., Attention Is All You Need, 2017; with norms before each part: Xiong et al., On Layer Normalization in
the Transformer Architecture, 2020.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from worker.engine.networks import by_autograd
from worker.engine.networks.initial import default_weights
from worker.engine.networks.network import Shape, Slopes

NORM_EPS = 1e-5


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

    def start(self, seed: int) -> Tensor:
        return _start(self, seed)

    def outputs(self, weights_RD: Tensor, examples: Tensor) -> Tensor:
        num_runs = len(weights_RD)
        split = weights_RD.split_with_sizes([math.prod(shape) for shape in self.shapes], 1)
        parts = iter([part.view(num_runs, *shape) for part, shape in zip(split, self.shapes, strict=True)])
        tokens = examples.expand(num_runs, *examples.shape[-2:])
        num, context = tokens.shape[1:]
        values = _embedded(next(parts), tokens) + next(parts)[:, None, :context]
        values = values.reshape(num_runs, num * context, self.width)
        for _ in range(self.num_layers):
            normed = _normed(values, next(parts), next(parts))
            attended = self._attended(_linear(normed, next(parts), next(parts)), num)
            values = values + _linear(attended, next(parts), next(parts))
            inner = _linear(_normed(values, next(parts), next(parts)), next(parts), next(parts))
            values = values + _linear(functional.gelu(inner), next(parts), next(parts))
        outputs = _linear(_normed(values, next(parts), next(parts)), next(parts), next(parts))
        return outputs.mT.reshape(num_runs, self.num_tokens, num, context)

    def _attended(self, joined: Tensor, num: int) -> Tensor:
        """Queries, keys and values [R, N · C, 3 W] → each token's mean of the values up to it, [R, N · C, W]."""
        num_runs, size, _ = joined.shape
        context, each = size // num, self.width // self.heads
        # [3, R · N · H, C, W / H].
        apart = joined.view(num_runs * num, context, 3, self.heads, each).permute(2, 0, 3, 1, 4)
        queries, keys, values = apart.reshape(3, -1, context, each).unbind(0)
        scores = torch.bmm(queries * each**-0.5, keys.mT)
        later = torch.ones(context, context, dtype=torch.bool, device=scores.device).triu(1)
        shares = torch.softmax(scores.masked_fill(later, -math.inf), 2)
        attended = torch.bmm(shares, values).view(num_runs * num, self.heads, context, each)
        return attended.transpose(1, 2).reshape(num_runs, size, self.width)

    def gradient(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        return by_autograd.gradient(self, weights_RD, examples, slopes)

    def squared_norms(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        return by_autograd.squared_norms(self, weights_RD, examples, slopes)


def _embedded(table_RVW: Tensor, tokens_RNC: Tensor) -> Tensor:
    """The embeddings [R, N, C, W] of each run's tokens."""
    num_runs, num_tokens, width = table_RVW.shape
    firsts_R11 = torch.arange(num_runs, device=tokens_RNC.device).view(-1, 1, 1) * num_tokens
    rows = table_RVW.reshape(-1, width).index_select(0, (tokens_RNC + firsts_R11).flatten())
    return rows.view(*tokens_RNC.shape, width)


def _linear(values: Tensor, weight_ROI: Tensor, bias_RO: Tensor) -> Tensor:
    return torch.baddbmm(bias_RO.unsqueeze(1), values, weight_ROI.mT)


def _normed(values: Tensor, scale_RW: Tensor, offset_RW: Tensor) -> Tensor:
    """Layer normalisation of each token, with each run's scale and offset."""
    normed = functional.layer_norm(values, values.shape[-1:], eps=NORM_EPS)
    return torch.addcmul(offset_RW.unsqueeze(1), normed, scale_RW.unsqueeze(1))


@lru_cache(maxsize=2_000)
def _start(network: Transformer, seed: int) -> Tensor:
    return default_weights(seed, network.layers, num_embeddings=2)
