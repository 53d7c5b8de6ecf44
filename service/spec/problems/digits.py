"""Handwritten digits: network, width and training examples."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from service.spec.fields import Strict
from service.spec.metric_fields import with_common

# A test compares these with the data, which the service does not load.
NUM_TRAINING = 1_437
NUM_PIXELS = 64
NUM_CLASSES = 10
DEFAULT_WIDTHS = {"mlp": 32, "cnn": 8, "resnet": 16}


class Digits(Strict):
    """scikit-learn's 1,797 handwritten digits, 8×8 pixels scaled to 0 … 1: 1,437 for training, 360 for testing."""

    title: ClassVar = "Handwritten digits"
    formula: ClassVar = "mean over the examples of −log softmax(network(image))[label]"
    reference: ClassVar = "Alpaydin, Kaynak: Optical Recognition of Handwritten Digits, UCI Repository (1998)"

    has_matrices: ClassVar[bool] = True
    is_landscape: ClassVar[bool] = False
    has_test_data: ClassVar[bool] = True
    has_decision: ClassVar[bool] = False
    default_batch_size: ClassVar[int] = 32
    default_epochs: ClassVar[int] = 20
    default_shuffle: ClassVar[bool] = True
    default_dtype: ClassVar[Literal["float32", "float64"]] = "float32"
    least_loss: ClassVar[float] = 0.0
    targets: ClassVar[tuple[float, ...]] = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)

    kind: Literal["digits"]
    model: Literal["mlp", "cnn", "resnet"] = Field(
        "mlp",
        description="mlp: one hidden layer with ReLU. cnn: two convolutions, each followed by ReLU and the largest of "
        "2×2. resnet: a convolution and two residual blocks with group norms.",
    )
    hidden: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Units of the mlp's hidden layer, by default 32; channels of the first convolution, by default 8 "
        "for the cnn and 16 for the resnet; the next ones have twice as many.",
    )
    train_size: int = Field(
        NUM_TRAINING,
        ge=10,
        le=NUM_TRAINING,
        description="Number of training examples used; all digits stay in proportion.",
    )
    label_noise: float = Field(
        0.0, ge=0, le=1, description="Share of the training labels that are replaced by wrong ones, by seed."
    )
    augment: bool = Field(
        False, description="Shift each image by up to one pixel and turn it by up to 10° at each step, by seed."
    )

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        if self.hidden is None:
            object.__setattr__(self, "hidden", DEFAULT_WIDTHS[self.model])
        return self

    @property
    def width(self) -> int:
        """Give ``hidden``, which is filled in by the validation."""
        return self.hidden or DEFAULT_WIDTHS[self.model]

    @property
    def num_parameters(self) -> int:
        """Count weights and biases."""
        width = self.width
        match self.model:
            case "mlp":
                return (NUM_PIXELS + 1) * width + (width + 1) * NUM_CLASSES
            case "cnn":
                return (9 + 1) * width + (9 * width + 1) * 2 * width + (8 * width + 1) * NUM_CLASSES
        convolutions = 9 * width + 2 * 9 * width**2 + 9 * 2 * width**2 + 9 * 4 * width**2 + 2 * width**2
        norms = 2 * (3 * width + 3 * 2 * width)
        return convolutions + norms + (2 * width + 1) * NUM_CLASSES

    @property
    def numbers_per_example(self) -> int:
        """Count the numbers of a forward pass of one image."""
        whole, half = NUM_PIXELS * self.width, NUM_PIXELS * self.width // 2
        match self.model:
            case "mlp":
                return NUM_PIXELS + self.width + NUM_CLASSES
            case "cnn":
                return NUM_PIXELS + 2 * whole + whole // 4 + 2 * half + half // 4
        return NUM_PIXELS + 8 * whole + 8 * half

    @property
    def num_examples(self) -> int:
        """Count the training examples."""
        return self.train_size

    @property
    def num_starts(self) -> int:
        """One: the seed determines the initial weights."""
        return 1

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the fields of this problem."""
        return with_common("test_loss", "accuracy", "test_accuracy")
