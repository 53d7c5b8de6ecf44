"""Convolutional networks of all runs at once, forwards and, by autograd, backwards.

Channels of all runs are joined, [N, R · channels, 8, 8]; a convolution in R groups keeps runs apart, and so does group
normalisation in R times as many groups. A convolution of 16 channels, 16 runs and 32 images takes 2.7 ms forwards and
backwards (torch 2.13), 4.7 ms run by run, and 10 to 15 ms as batched products of gathered patches. With channels last
in memory convolutions take 2.4 ms but group norms three times as long, and a step of the resnet takes as long.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from worker.engine.networks.initial import default_weights
from worker.engine.networks.network import Shape, Slopes

SIDE = 8
NUM_CLASSES = 10
# Gradients of single examples are computed as those of separate runs, about this many at once.
RUNS_AT_ONCE = 256
NORM_GROUPS = 4


@dataclass(frozen=True)
class Convolutional:
    """A network of one of two kinds, whose first convolution has `channels` outputs; the images are 8×8.

    cnn     convolution – ReLU – largest of 2×2 – convolution to twice the channels – ReLU – largest of 2×2 – linear
    resnet  convolution – norm – ReLU, a residual block, one that halves the side and doubles the channels, mean over
            the image, linear. A block is convolution – norm – ReLU – convolution – norm, plus what came in (through a
            1×1 convolution and a norm where its shape changes), ReLU. Convolutions have no biases there.

    He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, 2016. Norms are over groups of channels, not
    over batches, so that an example's outputs depend on it alone: Wu and He, Group Normalization, 2018; four groups, or
    as many as divide the channels.
    """

    model: str
    channels: int

    @property
    def layers(self) -> tuple[tuple[Shape, Shape], ...]:
        """Shapes of weight and bias of each layer, in the order in which torch would make them."""
        one, two = self.channels, 2 * self.channels
        if self.model == "cnn":
            return ((one, 1, 3, 3), (one,)), ((two, one, 3, 3), (two,)), ((NUM_CLASSES, 4 * two), (NUM_CLASSES,))
        convolutions: list[Shape] = [(one, 1, 3, 3), (one, one, 3, 3), (one, one, 3, 3)]
        convolutions += [(two, one, 3, 3), (two, two, 3, 3), (two, one, 1, 1)]
        layers: list[tuple[Shape, Shape]] = []
        for shape in convolutions:
            layers += [(shape, ()), (shape[:1], shape[:1])]
        return *layers, ((NUM_CLASSES, two), (NUM_CLASSES,))

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return tuple(shape for layer in self.layers for shape in layer if shape)

    @property
    def numbers_per_example(self) -> int:
        whole, half = SIDE * SIDE * self.channels, SIDE * SIDE * self.channels // 2
        if self.model == "cnn":
            return SIDE * SIDE + 2 * whole + whole // 4 + 2 * half + half // 4
        return SIDE * SIDE + 8 * whole + 8 * half

    def start(self, seed: int) -> Tensor:
        return _start(self, seed)

    def outputs(self, weights_RD: Tensor, examples: Tensor) -> Tensor:
        num_runs = len(weights_RD)
        sizes = [math.prod(shape) for shape in self.shapes]
        parts = weights_RD.split_with_sizes(sizes, 1)
        weights = [part.view(num_runs, *shape) for part, shape in zip(parts, self.shapes, strict=True)]
        # Images shared by all runs are convolved with the weights of all runs at once; otherwise each run is a group.
        images = examples.unsqueeze(1) if examples.dim() == 2 else examples.transpose(0, 1)
        images = images.reshape(*images.shape[:2], SIDE, SIDE)
        values = self._cnn(images, weights) if self.model == "cnn" else self._resnet(images, weights)
        values_RIN = values.view(len(values), num_runs, -1).permute(1, 2, 0)
        return torch.baddbmm(weights[-1].unsqueeze(2), weights[-2], values_RIN)

    def _cnn(self, images: Tensor, weights: list[Tensor]) -> Tensor:
        values = functional.max_pool2d(torch.relu(_convolved(images, weights[0], weights[1])), 2)
        values = functional.max_pool2d(torch.relu(_convolved(values, weights[2], weights[3])), 2)
        return values.reshape(len(values), -1)

    def _resnet(self, images: Tensor, weights: list[Tensor]) -> Tensor:
        norms = iter([weights[at : at + 3] for at in range(0, len(weights) - 2, 3)])
        values = torch.relu(_normed(images, next(norms)))
        inner = torch.relu(_normed(values, next(norms)))
        values = torch.relu(values + _normed(inner, next(norms)))
        inner = torch.relu(_normed(values, next(norms), stride=2))
        inner = _normed(inner, next(norms))
        values = torch.relu(inner + _normed(values, next(norms), stride=2))
        return values.mean((2, 3))

    def gradient(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        # Tensors of inference mode, in which the trainer works, have no derivatives; their copies have.
        with torch.inference_mode(False), torch.enable_grad():
            weights = weights_RD.clone().requires_grad_()
            outputs_RON = self.outputs(weights, examples.clone())
            slopes_RON = slopes(outputs_RON.detach()).clone()
            (gradient_RD,) = torch.autograd.grad(outputs_RON, weights, slopes_RON)
        return gradient_RD

    def squared_norms(self, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
        num_runs = len(weights_RD)
        slopes_RON = slopes(self.outputs(weights_RD, examples))
        num = max(1, RUNS_AT_ONCE // num_runs)
        parts = []
        for chosen_RON, chosen in zip(torch.split(slopes_RON, num, 2), torch.split(examples, num, -2), strict=True):
            count = chosen_RON.shape[2]
            many_RD = weights_RD.repeat_interleave(count, 0)
            each = chosen.expand(num_runs, count, -1).reshape(num_runs * count, 1, -1)
            alone = chosen_RON.permute(0, 2, 1).reshape(num_runs * count, NUM_CLASSES, 1)
            gradients = self.gradient(many_RD, each, lambda _, alone=alone: alone)  # type: ignore[misc]
            parts.append(gradients.square().sum(1).view(num_runs, count))
        return torch.cat(parts, 1)


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
