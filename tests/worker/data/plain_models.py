"""The models of data problems in plain torch, one run at a time."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from service.spec import models
from service.spec.problems.data import Data

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "linear": nn.Identity}


class Block(nn.Module):
    """A residual block with group norms."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        stride = after // before
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.GroupNorm(math.gcd(4, after), after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.GroupNorm(math.gcd(4, after), after)
        self.shortcut = nn.Sequential()
        if stride > 1:
            norm = nn.GroupNorm(math.gcd(4, after), after)
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), norm)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        return torch.relu(inner + self.shortcut(x))


class Layer(nn.Module):
    """A layer of a transformer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.joined, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        num, context, width = x.shape
        parts = self.joined(self.norm1(x)).chunk(3, -1)
        q, k, v = (part.view(num, context, self.heads, -1).transpose(1, 2) for part in parts)
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(num, context, width))
        widened: Tensor = self.down(functional.gelu(self.up(self.norm2(x))))
        return x + widened


class Transformer(nn.Module):
    """A causal model of tokens: logits [N, V, C]."""

    def __init__(self, given: models.Transformer, tokens: int) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(tokens, given.width), nn.Embedding(given.context, given.width)
        self.layers = nn.Sequential(*(Layer(given.width, given.heads) for _ in range(given.layers)))
        self.norm, self.out = nn.LayerNorm(given.width), nn.Linear(given.width, tokens)

    def forward(self, x: Tensor) -> Tensor:
        embedded = self.tokens(x) + self.places(torch.arange(x.shape[1]))
        logits: Tensor = self.out(self.norm(self.layers(embedded)))
        return logits.transpose(1, 2)


def plain_model(problem: Data, seed: int) -> nn.Module:
    """A model in float64 with torch's default weights after manual_seed(seed)."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _model(problem).double()


def _model(problem: Data) -> nn.Module:
    sizes = problem.sizes
    height, width, colours = sizes.sides
    image = nn.Unflatten(1, (colours, height, width))
    match problem.model:
        case models.Linear():
            return nn.Linear(sizes.inputs, sizes.outputs)
        case models.MLP() as given:
            layers: list[nn.Module] = []
            before = sizes.inputs
            for after in given.widths:
                layers += [nn.Linear(before, after), ACTIVATIONS[given.activation]()]
                before = after
            return nn.Sequential(*layers, nn.Linear(before, sizes.outputs))
        case models.CNN() as given:
            layers, before = [image], colours
            for after in given.channels:
                layers += [nn.Conv2d(before, after, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2)]
                before, height, width = after, height // 2, width // 2
            return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * height * width, sizes.outputs))
        case models.ResNet() as given:
            one = given.channels
            first = [nn.Conv2d(colours, one, 3, 1, 1, bias=False), nn.GroupNorm(math.gcd(4, one), one), nn.ReLU()]
            blocks = [Block(one, one), Block(one, 2 * one), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
            return nn.Sequential(image, *first, *blocks, nn.Linear(2 * one, sizes.outputs))
    return Transformer(problem.model, sizes.outputs)
