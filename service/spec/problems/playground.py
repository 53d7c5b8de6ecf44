"""Playground: points in the plane and a small network."""

from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.spec.fields import Several, Strict

# The grid of decision values: points per side, and its reach from the middle.
GRID_SIDE = 40
GRID_REACH = 1.25


class Playground(Strict):
    """Two classes of points in the plane, and a small network that learns to classify them."""

    title: ClassVar = "Playground"
    formula: ClassVar = "mean over the points of −log σ(±network(point)), + for class 1"
    reference: ClassVar = "Smilkov, Carter: A Neural Network Playground, playground.tensorflow.org (2016)"

    has_matrices: ClassVar[bool] = True
    is_landscape: ClassVar[bool] = False
    has_test_data: ClassVar[bool] = True
    has_decision: ClassVar[bool] = True
    default_batch_size: ClassVar[int] = 16
    default_epochs: ClassVar[int] = 20
    default_shuffle: ClassVar[bool] = True
    default_dtype: ClassVar[Literal["float32", "float64"]] = "float32"
    least_loss: ClassVar[float] = 0.0
    targets: ClassVar[tuple[float, ...]] = (0.6, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
    num_starts: ClassVar[int] = 1

    kind: Literal["playground"]
    dataset: Literal["circles", "xor", "gaussians", "spiral"] = Field("circles", description="Point set.")
    noise: float = Field(0.05, ge=0, le=1, description="Standard deviation of the Gaussian noise added to each point.")
    size: int = Field(200, ge=2, le=2_000, description="Number of training points, and of test points.")
    data_seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the points, which are the same for all runs.")
    widths: Several[Annotated[int, Field(ge=1, le=32)]] = Field(
        [8], min_length=1, max_length=4, description="Units of each hidden layer."
    )
    activation: Literal["relu", "tanh", "sigmoid", "linear"] = Field(
        "tanh", description="Activation of the hidden units."
    )

    @property
    def num_parameters(self) -> int:
        """Count weights and biases."""
        return sum((before + 1) * after for before, after in pairwise([2, *self.widths, 1]))

    @property
    def numbers_per_example(self) -> int:
        """Count the numbers of a forward pass of one point."""
        return 2 + sum(self.widths) + 1

    @property
    def num_examples(self) -> int:
        """Count the training points."""
        return self.size

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the fields of this problem."""
        scores = ("loss", "train_loss", "test_loss", "accuracy", "test_accuracy")
        return (*scores, "grad_norm", "update_norm", "distance_from_start", "lr", "momentum")
