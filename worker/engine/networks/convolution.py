"""Convolutional networks of all runs at once, forwards and, by autograd, backwards.

Channels of all runs are joined, [N, R · channels, height, width]; a convolution in R groups keeps runs apart, and so
does group normalisation in R times as many groups. A convolution of 16 channels, 16 runs and 32 images takes 2.7 ms
forwards and backwards (torch 2.13), 4.7 ms run by run, and 10 to 15 ms as batched products of gathered patches. With
channels last in memory convolutions take 2.4 ms but group norms three times as long, and a step of the resnet takes as
long.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from worker.engine.networks import by_autograd
from worker.engine.networks.initial import default_weights
from worker.engine.networks.network import Shape, Slopes

NORM_GROUPS = 4


@dataclass(frozen=True)
class Convolutional:
    """Base of networks of images, whose pixels are given channel by channel: [N, channels · height · width]."""

    colours: int
    height: int
    width: int
    num_outputs: int

    @property
    def layers(self) -> tuple[tuple[Shape, Shape], ...]:
        """Shapes of weight and bias of each layer, in the order in which torch would make them; the last is linear."""
        raise NotImplementedError

    @property
    def numbers_per_example(self) -> int:
        raise NotImplementedError

    def values(self, images: Tensor, weights: list[Tensor]) -> Tensor:
        """The inputs of the linear layer, [N, …] with the runs' numbers one after another."""
        raise NotImplementedError

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return tuple(shape for layer in self.layers for shape in layer if shape)

    @property
    def numbers_at_once(self) -> int | None:
        return None

    def start(self, seed: int) -> Tensor:
        return _start(self, seed)

    def outputs(self, weights_RD: Tensor, examples: Tensor) -> Tensor:
        num_runs = len(weights_RD)
        sizes = [math.prod(shape) for shape in self.shapes]
        parts = weights_RD.split_with_sizes(sizes, 1)
        weights = [part.view(num_runs, *shape) for part, shape in zip(parts, self.shapes, strict=True)]
        # Images shared by all runs are convolved with the weights of all runs at once; otherwise each run is a group.
        images = examples.unsqueeze(1) if examples.dim() == 2 else examples.transpose(0, 1)
        images = images.reshape(len(images), -1, self.height, self.width)
        values = self.values(images, weights)
        values_RIN = values.view(len(values), num_runs, -1).permute(1, 2, 0)
        return torch.baddbmm(weights[-1].unsqueeze(2), weights[-2], values_RIN)

    def gradient(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        return by_autograd.gradient(self, weights_RD, examples, slopes)

    def squared_norms(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        return by_autograd.squared_norms(self, weights_RD, examples, slopes)


@dataclass(frozen=True)
class CNN(Convolutional):
    """3×3 convolutions, each followed by ReLU and the largest of 2×2; then a linear layer.

    `is_channels_last` keeps the channels of a pixel side by side in memory where runs have images of their own: a step
    of 16 runs on 32 images of 28×28 takes 78 ms, otherwise 139 ms. With images shared by all runs it would gain
    nothing. The kind `digits` keeps the bits that it had without it.
    """

    channels: tuple[int, ...] = (8, 16)
    is_channels_last: bool = False

    @property
    def layers(self) -> tuple[tuple[Shape, Shape], ...]:
        before = (self.colours, *self.channels)
        convolutions = [((two, one, 3, 3), (two,)) for one, two in zip(before, self.channels, strict=False)]
        num = len(self.channels)
        joined = self.channels[-1] * (self.height >> num) * (self.width >> num)
        return *convolutions, ((self.num_outputs, joined), (self.num_outputs,))

    @property
    def numbers_per_example(self) -> int:
        numbers, height, width = self.colours * self.height * self.width, self.height, self.width
        for channels in self.channels:
            numbers += 2 * channels * height * width
            height, width = height // 2, width // 2
            numbers += channels * height * width
        return numbers

    def values(self, images: Tensor, weights: list[Tensor]) -> Tensor:
        is_last = self.is_channels_last and images.shape[1] > self.colours
        layout = torch.channels_last if is_last else torch.contiguous_format
        values = images.contiguous(memory_format=layout)
        for at in range(0, len(weights) - 2, 2):
            # The ReLU of the largest is the largest of the ReLUs, and takes a quarter of the time.
            values = torch.relu(functional.max_pool2d(_convolved(values, weights[at], weights[at + 1]), 2))
        return values.reshape(len(values), -1)


@dataclass(frozen=True)
class ResNet(Convolutional):
    """Convolution – norm – ReLU, a residual block, one that halves the side and doubles the channels; mean, linear.

    A block is convolution – norm – ReLU – convolution – norm, plus what came in (through a 1×1 convolution and a norm
    where its shape changes), ReLU. Convolutions have no biases. Norms are over groups of channels, not over batches, so
    that an example's outputs depend on it alone; four groups, or as many as divide the channels.

    He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, 2016; Wu and He, Group Normalization, 2018.
    """

    channels: int = 16

    @property
    def layers(self) -> tuple[tuple[Shape, Shape], ...]:
        one, two = self.channels, 2 * self.channels
        convolutions: list[Shape] = [(one, self.colours, 3, 3), (one, one, 3, 3), (one, one, 3, 3)]
        convolutions += [(two, one, 3, 3), (two, two, 3, 3), (two, one, 1, 1)]
        layers: list[tuple[Shape, Shape]] = []
        for shape in convolutions:
            layers += [(shape, ()), (shape[:1], shape[:1])]
        return *layers, ((self.num_outputs, two), (self.num_outputs,))

    @property
    def numbers_per_example(self) -> int:
        whole, half = self.height * self.width, math.ceil(self.height / 2) * math.ceil(self.width / 2)
        return self.colours * whole + 8 * whole * self.channels + 8 * half * 2 * self.channels

    def values(self, images: Tensor, weights: list[Tensor]) -> Tensor:
        norms = iter([weights[at : at + 3] for at in range(0, len(weights) - 2, 3)])
        values = torch.relu(_normed(images, next(norms)))
        inner = torch.relu(_normed(values, next(norms)))
        values = torch.relu(values + _normed(inner, next(norms)))
        inner = torch.relu(_normed(values, next(norms), stride=2))
        inner = _normed(inner, next(norms))
        values = torch.relu(inner + _normed(values, next(norms), stride=2))
        return values.mean((2, 3))


def _convolved(values: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1) -> Tensor:
    """Each run's convolution of its own channels; the side is divided by the stride."""
    num_runs, per_run = len(weight), weight.shape[2]
    groups = 1 if values.shape[1] == per_run else num_runs
    filters = weight.reshape(-1, *weight.shape[2:])
    shared = None if bias is None else bias.reshape(-1)
    return functional.conv2d(values, filters, shared, stride=stride, padding=weight.shape[-1] // 2, groups=groups)


def _normed(values: Tensor, weights: list[Tensor], stride: int = 1) -> Tensor:
    """A convolution, then group normalisation of each run's channels, with scale and offset by channel."""
    weight, scale, offset = weights
    num_runs, channels = scale.shape
    groups = num_runs * math.gcd(NORM_GROUPS, channels)
    convolved = _convolved(values, weight, stride=stride)
    return functional.group_norm(convolved, groups, scale.reshape(-1), offset.reshape(-1))


@lru_cache(maxsize=2_000)
def _start(network: Convolutional, seed: int) -> Tensor:
    return default_weights(seed, network.layers)
