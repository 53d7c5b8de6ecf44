"""Default initial weights of torch's layers for a seed, without its global generator."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from worker.engine.networks.network import Shape


def default_weights(seed: int, layers: Sequence[tuple[Shape, Shape]], num_embeddings: int = 0) -> Tensor:
    """The weights [D] in float32 of linear layers and convolutions made in this order after manual_seed(seed).

    Each layer is the shape of its weight, whose first axis are the outputs, and that of its bias, () for none. Weights
    follow Kaiming's uniform rule with a = √5, biases are uniform within ±1/√fan_in. A weight of one axis is a
    normalisation: ones, then zeros, for which no number is drawn. The first `num_embeddings` layers are tables of
    embeddings: standard normal numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for number, (weight, bias) in enumerate(layers):
        if number < num_embeddings:
            parts.append(torch.empty(weight).normal_(generator=generator).flatten())
            continue
        if len(weight) == 1:
            parts += [torch.ones(weight), torch.zeros(bias)]
            continue
        fan_in = math.prod(weight[1:])
        # The order of rounding of torch.nn.init: another order may differ in the last bit.
        bound = math.sqrt(3) * (math.sqrt(2 / (1 + 5)) / math.sqrt(fan_in))
        parts.append(torch.empty(weight).uniform_(-bound, bound, generator=generator).flatten())
        if bias:
            bound = 1 / math.sqrt(fan_in)
            parts.append(torch.empty(bias).uniform_(-bound, bound, generator=generator))
    return torch.cat(parts)
