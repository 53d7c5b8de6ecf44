"""What may be asked of the digits: which network, how wide, on which of the examples?"""

from typing import ClassVar, Literal

from pydantic import Field

from service.spec.fields import Strict

# A test holds these equal to the data, which the service never loads.
NUM_TRAINING = 1_437
NUM_PIXELS = 64
NUM_CLASSES = 10


class Digits(Strict):
    """scikit-learn's 1,797 handwritten digits, 8×8 pixels scaled to 0 … 1: 1,437 to train with, 360 to test with."""

    title: ClassVar = "Handwritten digits"
    formula: ClassVar = "mean over the examples of −log softmax(network(image))[label]"
    reference: ClassVar = "Alpaydin, Kaynak: Optical Recognition of Handwritten Digits, UCI Repository (1998)"

    has_matrices: ClassVar[bool] = True
    default_batch_size: ClassVar[int] = 32
    default_shuffle: ClassVar[bool] = True
    default_dtype: ClassVar[Literal["float32", "float64"]] = "float32"

    kind: Literal["digits"]
    model: Literal["mlp"] = Field("mlp", description="mlp: 64 → hidden → 10 with ReLU.")
    hidden: int = Field(32, ge=1, le=256, description="Units of the hidden layer.")
    train_size: int = Field(
        NUM_TRAINING,
        ge=10,
        le=NUM_TRAINING,
        description="How many of the training examples are used; all digits stay in proportion.",
    )
    label_noise: float = Field(
        0.0, ge=0, le=1, description="Share of the training labels that are replaced by wrong ones, by seed."
    )
    augment: bool = Field(
        False, description="Shift each image by up to one pixel and turn it by up to 10° at each step, by seed."
    )

    @property
    def num_parameters(self) -> int:
        """Count weights and biases."""
        return (NUM_PIXELS + 1) * self.hidden + (self.hidden + 1) * NUM_CLASSES

    @property
    def numbers_per_example(self) -> int:
        """Count the numbers that a forward pass makes of one image."""
        return NUM_PIXELS + self.hidden + NUM_CLASSES

    @property
    def num_examples(self) -> int:
        """Count the training examples."""
        return self.train_size

    @property
    def num_starts(self) -> int:
        """A network's start is its seed."""
        return 1

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the metrics that this problem has."""
        scores = ("loss", "train_loss", "test_loss", "accuracy", "test_accuracy")
        return (*scores, "grad_norm", "update_norm", "distance_from_start", "lr", "momentum")
