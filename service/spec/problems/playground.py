"""Playground: points in the plane, and a small network that classifies them or predicts a number."""

from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from service.spec.fields import Several, Strict
from service.spec.metric_fields import with_common

# The grid of decision values: points per side, and its reach from the middle.
GRID_SIDE = 40
GRID_REACH = 1.25
# Point sets with a number for each point instead of a class.
REGRESSIONS = ("plane", "hills")
# Losses to reach of a classification, which begins near 0.69.
_TARGETS = (0.6, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)

Feature = Literal["x", "y", "x2", "y2", "xy", "sin_x", "sin_y"]


class Playground(Strict):
    """Points in the plane, and a small network that learns their class, or their number."""

    title: ClassVar = "Playground"
    formula: ClassVar = (
        "mean over the points of −log σ(±network(point)), + for class 1, or ½(network(point) − z)²; + penalties"
    )
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
    num_starts: ClassVar[int] = 1

    kind: Literal["playground"]
    dataset: Literal["circles", "xor", "gaussians", "spiral", "plane", "hills"] = Field(
        "circles", description="Point set: two classes, or a number at each point (plane, hills), a regression."
    )
    noise: float = Field(0.05, ge=0, le=1, description="Standard deviation of the Gaussian noise added to each point.")
    size: int = Field(200, ge=2, le=2_000, description="Number of training points.")
    test_size: int | None = Field(
        None,
        ge=2,
        le=2_000,
        exclude_if=lambda test_size: test_size is None,
        description="Number of test points; by default as many as training points.",
    )
    data_seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the points, which are the same for all runs.")
    widths: Several[Annotated[int, Field(ge=1, le=32)]] = Field(
        [8], min_length=1, max_length=4, description="Units of each hidden layer."
    )
    activation: Literal["relu", "tanh", "sigmoid", "linear"] = Field(
        "tanh", description="Activation of the hidden units."
    )

    features: Several[Feature] = Field(
        ["x", "y"],
        min_length=1,
        max_length=7,
        exclude_if=lambda features: features == ["x", "y"],
        description="Inputs of the network: x, y, x², y², x·y, sin 5x, sin 5y.",
    )
    l1: float = Field(
        0.0,
        ge=0,
        le=1e6,
        exclude_if=lambda l1: l1 == 0,
        description="Coefficient of the sum of the absolute weights, without biases, in the loss.",
    )
    l2: float = Field(
        0.0,
        ge=0,
        le=1e6,
        exclude_if=lambda l2: l2 == 0,
        description="Coefficient of ½‖weights without biases‖² in the loss.",
    )

    @model_validator(mode="after")
    def _has_distinct_features(self) -> Self:
        if len(set(self.features)) < len(self.features):
            raise PydanticCustomError("features", "'features' must not repeat an input")
        return self

    @property
    def is_regression(self) -> bool:
        """Whether points have numbers instead of classes."""
        return self.dataset in REGRESSIONS

    @property
    def targets(self) -> tuple[float, ...]:
        """List losses to reach; none for a regression."""
        return () if self.is_regression else _TARGETS

    @property
    def num_parameters(self) -> int:
        """Count weights and biases."""
        return sum((before + 1) * after for before, after in pairwise([len(self.features), *self.widths, 1]))

    @property
    def numbers_per_example(self) -> int:
        """Count the numbers of a forward pass of one point."""
        return len(self.features) + sum(self.widths) + 1

    @property
    def num_examples(self) -> int:
        """Count the training points."""
        return self.size

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the fields of this problem."""
        score = "r2" if self.is_regression else "accuracy"
        return with_common("test_loss", score, f"test_{score}")
