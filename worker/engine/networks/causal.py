"""The forward and the backward pass of causal transformers, written out for all runs of a block.

Activations are [R, units, T], so that sums over units and the softmax over tokens need no copies. Weights take over
what would be passes over activations: those that add to the residual stream are centred, so that a norm has no mean to
subtract, and the layer behind a norm takes over its scale and offset. With tokens first,
[R, T, units], a gradient takes as long: products, GELU and softmaxes are most of it.

    U  units of the wider layer, 4 W
    T  tokens of all examples, N · C      C  tokens of an example      V  different tokens      W  width      H  heads
    B  R · H · N                          E  W / H

The first of the weights, [R, V + places, W], has the embeddings of tokens, then those of places.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

NORM_EPS = 1e-5
# Weights of a layer in their order: norm, queries · keys · values, outputs of attention, norm, wider layer, back.
LAYER_WEIGHTS = 12


@dataclass(frozen=True)
class Normed:
    """A layer behind a norm: what the norm gives, 1 / standard deviation, and the weights with the norm's scale."""

    value_RWT: Tensor
    inverse_R1T: Tensor
    weight_ROW: Tensor


@dataclass(frozen=True)
class Layer:
    """What the backward pass of a layer needs."""

    joined: Normed
    queries_BEC: Tensor
    keys_BEC: Tensor
    values_BEC: Tensor
    shares_BCC: Tensor
    attended_RWT: Tensor
    outputs_RWW: Tensor
    up: Normed
    inner_RUT: Tensor
    activated_RUT: Tensor
    down_RWU: Tensor


@dataclass(frozen=True)
class Forward:
    """What the backward pass needs."""

    weights: list[Tensor]
    tokens_R1T: Tensor
    num_tokens: int
    context: int
    heads: int
    layers: list[Layer]
    last: Normed


def forward(weights: list[Tensor], tokens_RNC: Tensor, num_tokens: int, heads: int) -> tuple[Tensor, Forward]:
    """The outputs [R, V, T], which can be differentiated twice, and what the backward pass needs."""
    num_runs, num, context = tokens_RNC.shape
    tokens_R1T = tokens_RNC.reshape(num_runs, 1, num * context)
    embeddings = _centred(weights[0], 2).mT
    width = embeddings.shape[1]
    embedded = embeddings.gather(2, tokens_R1T.expand(-1, width, -1)).view(num_runs, width, num, context)
    stream = (embedded + embeddings[:, :, None, num_tokens : num_tokens + context]).view(num_runs, width, -1)
    layers = []
    for first in range(1, len(weights) - 4, LAYER_WEIGHTS):
        stream, layer = _layer(weights[first : first + LAYER_WEIGHTS], stream, context, heads)
        layers.append(layer)
    outputs, last = _behind_norm(stream, *weights[-4:])
    return outputs, Forward(weights, tokens_R1T, num_tokens, context, heads, layers, last)


def _layer(weights: list[Tensor], stream: Tensor, context: int, heads: int) -> tuple[Tensor, Layer]:
    num_runs, width, size = stream.shape
    to_outputs, down = _centred(weights[4], 1), _centred(weights[10], 1)
    sums, joined = _behind_norm(stream, *weights[:4])
    apart = sums.view(num_runs, 3, heads, width // heads, size // context, context)
    parts = apart.permute(1, 0, 2, 4, 3, 5).reshape(3, -1, width // heads, context)
    queries, keys, values = parts.unbind(0)
    mask = _mask(context, stream.dtype, stream.device)
    shares = torch.softmax(torch.baddbmm(mask, queries.mT, keys, alpha=_factor(queries)), 2)
    attended = torch.bmm(values, shares.mT).view(num_runs, heads, -1, width // heads, context)
    attended = attended.transpose(2, 3).reshape(num_runs, width, size)
    stream = torch.baddbmm(stream, to_outputs, attended) + _centred(weights[5], 1).unsqueeze(2)
    inner, up = _behind_norm(stream, *weights[6:10])
    activated = functional.gelu(inner)
    stream = torch.baddbmm(stream, down, activated) + _centred(weights[11], 1).unsqueeze(2)
    return stream, Layer(joined, queries, keys, values, shares, attended, to_outputs, up, inner, activated, down)


def _behind_norm(stream: Tensor, scale: Tensor, offset: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Normed]:
    """A norm of a centred stream, and the linear layer behind it."""
    inverse = torch.rsqrt((stream * stream).mean(1, keepdim=True) + NORM_EPS)
    scaled = weight * scale.unsqueeze(1)
    normed = Normed(stream * inverse, inverse, scaled)
    return torch.baddbmm(
        torch.baddbmm(bias.unsqueeze(2), weight, offset.unsqueeze(2)), scaled, normed.value_RWT
    ), normed


def _centred(weight: Tensor, dim: int) -> Tensor:
    return weight - weight.mean(dim, keepdim=True)


def _factor(queries_BEC: Tensor) -> float:
    return float(queries_BEC.shape[1] ** -0.5)


@lru_cache(maxsize=16)
def _mask(context: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """−∞ at later tokens [C, C], added to the scores of each token."""
    with torch.inference_mode(False):
        return torch.full((context, context), -torch.inf, dtype=dtype, device=device).triu(1)


def backward(known: Forward, slopes_RVT: Tensor) -> list[Tensor]:
    """The gradients of the weights, [R, …] in their order."""
    back, gradients = _back_to_stream(known.last, known.weights[-4:], slopes_RVT)
    for at, layer in zip(range(len(known.weights) - 4, 0, -LAYER_WEIGHTS), reversed(known.layers), strict=False):
        back, own = _back_through(layer, known.weights[at - LAYER_WEIGHTS : at], back, known)
        gradients = own + gradients
    num_runs, width, _ = back.shape
    embeddings = back.new_zeros(num_runs, width, known.weights[0].shape[1])
    embeddings.scatter_add_(2, known.tokens_R1T.expand(-1, width, -1), back)
    places = slice(known.num_tokens, known.num_tokens + known.context)
    torch.sum(back.view(num_runs, width, -1, known.context), 2, out=embeddings[:, :, places])
    return [_centred(embeddings, 1).mT, *gradients]


def _back_through(layer: Layer, weights: list[Tensor], back: Tensor, known: Forward) -> tuple[Tensor, list[Tensor]]:
    """The slopes at the stream before a layer, and the gradients of its weights."""
    of_down = _of_centred(back, layer.activated_RUT)
    slopes = torch.ops.aten.gelu_backward(torch.bmm(layer.down_RWU.mT, back), layer.inner_RUT)
    added, of_up = _back_to_stream(layer.up, weights[6:10], slopes)
    back = back + added
    of_outputs = _of_centred(back, layer.attended_RWT)
    slopes = _back_through_attention(layer, torch.bmm(layer.outputs_RWW.mT, back), known)
    added, of_joined = _back_to_stream(layer.joined, weights[:4], slopes)
    return back + added, [*of_joined, *of_outputs, *of_up, *of_down]


def _back_through_attention(layer: Layer, back: Tensor, known: Forward) -> Tensor:
    """The slopes at queries, keys and values, [R, 3 W, T]."""
    num_runs, width, size = back.shape
    heads, context, factor = known.heads, known.context, _factor(layer.queries_BEC)
    by_head = back.view(num_runs, heads, width // heads, -1, context).transpose(2, 3)
    back_BEC = by_head.reshape(layer.values_BEC.shape)
    of_shares = torch.bmm(back_BEC.mT, layer.values_BEC)
    of_scores = torch._softmax_backward_data(of_shares, layer.shares_BCC, 2, back.dtype)
    parts = back.new_empty(3, *back_BEC.shape)
    torch.baddbmm(parts[0], layer.keys_BEC, of_scores.mT, beta=0, alpha=factor, out=parts[0])
    torch.baddbmm(parts[1], layer.queries_BEC, of_scores, beta=0, alpha=factor, out=parts[1])
    torch.bmm(back_BEC, layer.shares_BCC, out=parts[2])
    apart = parts.view(3, num_runs, heads, -1, width // heads, context).permute(1, 0, 2, 4, 3, 5)
    return apart.reshape(num_runs, 3 * width, size)


def _back_to_stream(normed: Normed, weights: list[Tensor], slopes: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The slopes at the stream before a norm, and the gradients of the norm and of the layer behind it."""
    scale, offset, weight, _ = weights
    value = normed.value_RWT
    of_scaled, of_bias = torch.bmm(slopes, value.mT), slopes.sum(2)
    of_weight = of_scaled * scale.unsqueeze(1)
    of_weight.addcmul_(of_bias.unsqueeze(2), offset.unsqueeze(1))
    of_offset = torch.bmm(weight.mT, of_bias.unsqueeze(2)).squeeze(2)
    back = torch.bmm(normed.weight_ROW.mT, slopes)
    along = (back * value).mean(1, keepdim=True)
    back.addcmul_(value, along, value=-1).mul_(normed.inverse_R1T)
    return back, [(of_scaled * weight).sum(1), of_offset, of_weight, of_bias]


def _of_centred(back: Tensor, value: Tensor) -> list[Tensor]:
    """The gradients of a centred weight and bias."""
    return [_centred(torch.bmm(back, value.mT), 1), _centred(back.sum(2), 1)]
