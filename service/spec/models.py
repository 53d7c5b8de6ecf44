"""Models of a data problem: linear, mlp, cnn, resnet, transformer, with their sizes.

The networks of worker/engine/networks/ compute them. Counts depend on the data: `Sizes`.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from service.spec.fields import Several, Strict

MAX_WIDTH = 4_096
Activation = Literal["relu", "tanh", "sigmoid", "gelu", "linear"]
Width = Annotated[int, Field(ge=1, le=MAX_WIDTH)]
Channels = Annotated[int, Field(ge=1, le=512)]


@dataclass(frozen=True)
class Sizes:
    """Inputs and outputs of a model.

    Attributes:
        inputs: Numbers of an example: columns, or pixels × channels.
        outputs: Classes, characters of a text, or 1 for a regression.
        image: Height, width and channels of an image; None for other examples.
    """

    inputs: int
    outputs: int
    image: tuple[int, int, int] | None = None

    @property
    def sides(self) -> tuple[int, int, int]:
        """Height, width and channels; 1×1 pixel where the examples are no images."""
        return self.image or (1, 1, self.inputs)


class Linear(Strict):
    """One linear layer."""

    kind: Literal["linear"] = Field(description="The model.")

    def num_parameters(self, sizes: Sizes) -> int:
        """Count weights and biases."""
        return (sizes.inputs + 1) * sizes.outputs

    def numbers_per_example(self, sizes: Sizes) -> int:
        """Count the numbers of a forward pass of one example."""
        return sizes.inputs + sizes.outputs

    def products_per_example(self, sizes: Sizes) -> int:
        """Count the multiplications of a forward pass of one example."""
        return sizes.inputs * sizes.outputs


class MLP(Strict):
    """Hidden layers with an activation between linear layers."""

    kind: Literal["mlp"] = Field(description="The model.")
    widths: Several[Width] = Field([64, 32], min_length=1, max_length=16, description="Units of each hidden layer.")
    activation: Activation = Field("relu", description="Activation of the hidden units.")

    def _widths(self, sizes: Sizes) -> list[int]:
        return [sizes.inputs, *self.widths, sizes.outputs]

    def num_parameters(self, sizes: Sizes) -> int:
        """Count weights and biases."""
        return sum((before + 1) * after for before, after in pairwise(self._widths(sizes)))

    def numbers_per_example(self, sizes: Sizes) -> int:
        """Count the numbers of a forward pass of one example."""
        return sum(self._widths(sizes))

    def products_per_example(self, sizes: Sizes) -> int:
        """Count the multiplications of a forward pass of one example."""
        return sum(before * after for before, after in pairwise(self._widths(sizes)))


class CNN(Strict):
    """3×3 convolutions, each followed by ReLU and the largest of 2×2; then a linear layer."""

    kind: Literal["cnn"] = Field(description="The model.")
    channels: Several[Channels] = Field(
        [8, 16], min_length=1, max_length=8, description="Channels of each convolution, each of which halves the image."
    )

    def _layers(self, sizes: Sizes) -> list[tuple[int, int, int, int]]:
        """Channels before and after each convolution, and the sides of its image."""
        height, width, before = sizes.sides
        pairs = pairwise([before, *self.channels])
        return [(one, two, height >> at, width >> at) for at, (one, two) in enumerate(pairs)]

    def _joined(self, sizes: Sizes) -> int:
        height, width, _ = sizes.sides
        return self.channels[-1] * (height >> len(self.channels)) * (width >> len(self.channels))

    def num_parameters(self, sizes: Sizes) -> int:
        """Count weights and biases."""
        convolutions = sum((9 * before + 1) * after for before, after, _, _ in self._layers(sizes))
        return convolutions + (self._joined(sizes) + 1) * sizes.outputs

    def numbers_per_example(self, sizes: Sizes) -> int:
        """Count the numbers of a forward pass of one image."""
        layers = self._layers(sizes)
        return sizes.inputs + sum(after * (2 * h * w + (h // 2) * (w // 2)) for _, after, h, w in layers)

    def products_per_example(self, sizes: Sizes) -> int:
        """Count the multiplications of a forward pass of one image."""
        convolutions = sum(9 * before * after * h * w for before, after, h, w in self._layers(sizes))
        return convolutions + self._joined(sizes) * sizes.outputs


class ResNet(Strict):
    """A convolution and two residual blocks with group norms, the second of twice the channels and half the side."""

    kind: Literal["resnet"] = Field(description="The model.")
    channels: Channels = Field(16, description="Channels of the first convolution and of the first block.")

    def num_parameters(self, sizes: Sizes) -> int:
        """Count weights, biases, and scales and offsets of the norms."""
        one, two, colours = self.channels, 2 * self.channels, sizes.sides[2]
        convolutions = 9 * (colours * one + 2 * one * one + one * two + two * two) + one * two
        return convolutions + 2 * (3 * one + 3 * two) + (two + 1) * sizes.outputs

    def numbers_per_example(self, sizes: Sizes) -> int:
        """Count the numbers of a forward pass of one image."""
        whole, half = self._pixels(sizes)
        return sizes.inputs + 8 * whole * self.channels + 8 * half * 2 * self.channels

    def products_per_example(self, sizes: Sizes) -> int:
        """Count the multiplications of a forward pass of one image."""
        one, two, colours = self.channels, 2 * self.channels, sizes.sides[2]
        whole, half = self._pixels(sizes)
        first = 9 * (colours * one + 2 * one * one) * whole
        return first + (9 * (one * two + two * two) + one * two) * half + two * sizes.outputs

    @staticmethod
    def _pixels(sizes: Sizes) -> tuple[int, int]:
        height, width, _ = sizes.sides
        return height * width, math.ceil(height / 2) * math.ceil(width / 2)


class Transformer(Strict):
    """A causal model of the next character: pre-norm attention and perceptrons with GELU."""

    kind: Literal["transformer"] = Field(description="The model.")
    layers: int = Field(1, ge=1, le=12, description="Layers, each of attention and a perceptron.")
    width: int = Field(32, ge=1, le=1_024, description="Numbers of a character's representation.")
    heads: int = Field(2, ge=1, le=64, description="Heads of the attention; they divide the width.")
    context: int = Field(32, ge=1, le=1_024, description="Characters of an example; each predicts the next one.")

    @model_validator(mode="after")
    def _divides(self) -> "Transformer":
        if self.width % self.heads:
            raise PydanticCustomError(
                "heads",
                "'heads' must divide 'width' ({heads} does not divide {width})",
                {"heads": self.heads, "width": self.width},
            )
        return self

    def num_parameters(self, sizes: Sizes) -> int:
        """Count weights and biases, embeddings, and scales and offsets of the norms."""
        width = self.width
        each = 2 * 2 * width + (width + 1) * 3 * width + (width + 1) * width + (width + 1) * 4 * width
        layer = each + (4 * width + 1) * width
        embeddings = (sizes.outputs + self.context) * width
        return embeddings + self.layers * layer + 2 * width + (width + 1) * sizes.outputs

    def numbers_per_example(self, sizes: Sizes) -> int:
        """Count the numbers of a forward pass of one example."""
        layer = 18 * self.width + 3 * self.heads * self.context
        return self.context * (self.layers * layer + 3 * self.width + 3 * sizes.outputs)

    def products_per_example(self, sizes: Sizes) -> int:
        """Count the multiplications of a forward pass of one example."""
        layer = 12 * self.width**2 + 2 * self.context * self.width
        return self.context * (self.layers * layer + self.width * sizes.outputs)


Model = Annotated[Linear | MLP | CNN | ResNet | Transformer, Field(discriminator="kind")]
