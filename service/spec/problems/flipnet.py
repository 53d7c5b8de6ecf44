"""FlipNet, a network of 31 parameters."""

from typing import ClassVar, Literal

from service.spec.fields import Strict
from service.spec.metric_fields import with_common


class FlipNet(Strict):
    """A 4→3→4 network with ReLU that learns to transpose the 16 binary 2×2 images; 31 parameters, squared error."""

    title: ClassVar = "FlipNet"
    formula: ClassVar = "mean (W₂·relu(W₁·x + b₁) + b₂ − transpose(x))²"
    reference: ClassVar = "The teaching texts Ravine grew from; initial weights as torch.nn.Linear draws them"

    has_matrices: ClassVar[bool] = True
    is_landscape: ClassVar[bool] = False
    has_test_data: ClassVar[bool] = False
    has_decision: ClassVar[bool] = False
    default_batch_size: ClassVar[int] = 1
    default_epochs: ClassVar[int] = 30
    default_shuffle: ClassVar[bool] = False
    default_dtype: ClassVar[Literal["float32", "float64"]] = "float32"
    numbers_per_example: ClassVar[int] = 11
    least_loss: ClassVar[float] = 0.0
    # Three hidden units reach a loss of 0.0625 at best.
    targets: ClassVar[tuple[float, ...]] = (0.3, 0.25, 0.2, 0.15, 0.13, 0.1, 0.07)

    kind: Literal["flipnet"]

    @property
    def num_parameters(self) -> int:
        """Count the weights and biases: 3·4 + 3 + 4·3 + 4."""
        return 31

    @property
    def num_examples(self) -> int:
        """Count the images."""
        return 16

    @property
    def num_starts(self) -> int:
        """One: the seed determines the initial weights."""
        return 1

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the fields of this problem."""
        return with_common("accuracy")
