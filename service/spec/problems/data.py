"""Own data: a model on a table, on images, or on a text."""

import math
from fractions import Fraction
from typing import Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from service.spec.fields import NO_ZERO_CHARACTER, Several, Strict
from service.spec.metric_fields import with_common
from service.spec.models import Linear, Model, Sizes, Transformer

# Share of the validation part where settings are chosen by it.
VALIDATION_SHARE = 0.2
# Counts of a spec whose dataset has not been read: checks against the data follow when it has been.
UNREAD = Sizes(1, 1)
UNREAD_ROWS = 2**31

Task = Literal["classification", "regression"]
Scale = Literal["standard", "minmax", "whiten", "none"]
Missing = Literal["refuse", "drop", "mean"]
# Fields of tables that a text lacks, with their defaults for tables.
_OF_TABLES: dict[str, Any] = {"scale": "standard", "missing": "refuse", "l2": 0.0}


class Portions(NamedTuple):
    """Rows of each part."""

    test: int
    validation: int
    training: int


def portions(num: int, test_share: float, validation_share: float) -> Portions:
    """Divide rows, or windows of a text: ⌈share · num⌉ for testing and for validation, the rest for training."""
    # Shares are decimal numbers: ⌈0.1 · 30⌉ is 3, which a product of floats exceeds.
    test, validation = (math.ceil(Fraction(repr(share)) * num) for share in (test_share, validation_share))
    return Portions(test, validation, max(0, num - test - validation))


class Resolved(Strict):
    """What a spec refers to in its dataset: content, and sizes."""

    digest: str = Field(max_length=64, description="SHA-256 of the content, as hexadecimal digits.")
    rows: int = Field(ge=1, description="Rows used, without dropped ones; characters of a text.")
    features: int | None = Field(
        ge=1, description="Columns of inputs after the encoding of categories; null for a text."
    )
    classes: int | None = Field(
        ge=1, description="Number of classes, or of a text's characters; null for a regression."
    )
    shape: Several[int] | None = Field(
        min_length=3, max_length=3, description="Height, width and channels of images; null for other data."
    )


class Data(Strict):
    """A model trained on a dataset: classification, regression, or prediction of a text's next character."""

    title: ClassVar = "Own data"
    formula: ClassVar = "mean over the examples of −log softmax(model(x))[y], or ½(model(x) − y)²; + ½·l2·‖weights‖²"
    reference: ClassVar = "Dua, Graff: UCI Machine Learning Repository (2019), for the built-in tables"

    has_matrices: ClassVar[bool] = True
    is_landscape: ClassVar[bool] = False
    has_test_data: ClassVar[bool] = True
    has_decision: ClassVar[bool] = False
    default_epochs: ClassVar[int] = 20
    least_loss: ClassVar[float] = 0.0
    targets: ClassVar[tuple[float, ...]] = ()
    num_starts: ClassVar[int] = 1

    kind: Literal["data"]
    dataset: str = Field(
        min_length=1,
        max_length=200,
        pattern=NO_ZERO_CHARACTER,
        description="Id of an uploaded dataset, or a built-in one: iris, wine, breast_cancer, diabetes, digits, zipf.",
    )
    target: str | None = Field(None, max_length=1_000, description="Column to predict; by default the last one.")
    features: Several[str] | None = Field(
        None, min_length=1, max_length=10_000, description="Columns of inputs; by default all but the target."
    )
    task: Task | None = Field(
        None, description="By default categories are classified, and numbers are predicted by regression."
    )
    # A factory, because generators of clients refuse the default of an object.
    model: Model = Field(
        default_factory=lambda: Linear(kind="linear"), description="The model that is trained, by default linear."
    )
    test_share: float = Field(0.2, ge=0, lt=1, description="Share of the rows for testing.")
    validation_share: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Share of the rows for validation, by which settings are chosen; by default 0.2 if a label has "
        "several settings, else 0.",
    )
    split_seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the order in which rows are divided.")
    scale: Scale | None = Field(
        None,
        description="Scaling of features and of a regression's target, fitted on the training rows: standard (mean 0, "
        "deviation 1; the default), minmax (0 to 1), whiten (uncorrelated features of deviation 1), none.",
    )
    l2: float | None = Field(
        None, ge=0, le=1e6, description="Coefficient of ½‖weights without biases‖² in the loss; by default 0."
    )
    missing: Missing | None = Field(
        None, description="Missing values: refuse them (the default), drop their rows, or take the training mean."
    )
    train_size: int | None = Field(None, ge=1, description="Number of training examples used; by default all.")
    label_noise: float = Field(
        0.0, ge=0, le=1, description="Share of the training labels that are replaced by wrong ones, by seed."
    )
    resolved: Resolved | None = Field(
        None,
        exclude_if=lambda resolved: resolved is None,
        description="Content and sizes of the data, filled in when a job is accepted. A posted one must match.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.test_share + (self.validation_share or 0) >= 1:
            raise PydanticCustomError("shares", "'test_share' and 'validation_share' must leave rows for training")
        if isinstance(self.model, Transformer):
            self._check_text()
            return self
        for name, default in _OF_TABLES.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)
        if self.task == "regression" and self.label_noise:
            raise _errors({"label_noise": "must be 0: a regression has no labels"})
        return self

    def _check_text(self) -> None:
        given = [name for name in ("target", "features", "task", *_OF_TABLES) if getattr(self, name) is not None]
        given += ["label_noise"] if self.label_noise else []
        if given:
            raise _errors(dict.fromkeys(given, "must be left out: a transformer is trained on a text"))

    def with_settings(self, *, several: bool) -> "Data":
        """Fill in the validation share of a job; ``several``: a label has several settings."""
        if self.validation_share is not None:
            return self
        return self.model_copy(update={"validation_share": VALIDATION_SHARE if several else 0.0})

    @property
    def name(self) -> str:
        """Give the built-in dataset by which a job without a name is called; the id of another one names nothing."""
        return self.dataset if self.dataset.isidentifier() else "own data"

    @property
    def is_text(self) -> bool:
        """Whether the model predicts characters."""
        return isinstance(self.model, Transformer)

    @property
    def is_classification(self) -> bool:
        """Whether the outputs are classes; until the dataset has been read, unless the task is regression."""
        return self.task != "regression" if self.resolved is None else self.resolved.classes is not None

    @property
    def sizes(self) -> Sizes:
        """Inputs and outputs of the model."""
        found = self.resolved
        if found is None:
            return UNREAD
        image = None if found.shape is None else (found.shape[0], found.shape[1], found.shape[2])
        if isinstance(self.model, Transformer):
            return Sizes(self.model.context, found.classes or 1)
        return Sizes(found.features or 1, found.classes or 1, image)

    @property
    def num_windows(self) -> int:
        """Examples before the split: rows, or windows of a text, each of which needs one more character."""
        rows = UNREAD_ROWS if self.resolved is None else self.resolved.rows
        return (rows - 1) // self.model.context if isinstance(self.model, Transformer) else rows

    @property
    def portions(self) -> Portions:
        """Examples of each part, before ``train_size``."""
        return portions(self.num_windows, self.test_share, self.validation_share or 0.0)

    @property
    def num_examples(self) -> int:
        """Count the training examples."""
        return max(1, min(self.portions.training, self.train_size or UNREAD_ROWS))

    @property
    def num_parameters(self) -> int:
        """Count weights and biases."""
        return self.model.num_parameters(self.sizes)

    @property
    def numbers_per_example(self) -> int:
        """Count the numbers of a forward pass of one example."""
        return self.model.numbers_per_example(self.sizes)

    @property
    def default_batch_size(self) -> int | Literal["full"]:
        """All rows for the linear model, else 32."""
        return "full" if isinstance(self.model, Linear) else 32

    @property
    def default_shuffle(self) -> bool:
        """No for the linear model, else yes."""
        return not isinstance(self.model, Linear)

    @property
    def default_dtype(self) -> Literal["float32", "float64"]:
        """Give float64 for the linear model, else float32."""
        return "float64" if isinstance(self.model, Linear) else "float32"

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the fields of this problem."""
        has_test, score = self.test_share > 0, "accuracy" if self.is_classification else "r2"
        return with_common(
            score,
            *(("validation_loss",) if self.validation_share else ()),
            *(("test_loss", f"test_{score}") if has_test else ()),
            *(("distance_to_minimum",) if isinstance(self.model, Linear) and not self.label_noise else ()),
        )


def _errors(sentences: dict[str, str]) -> ValidationError:
    """Give one error for each field."""
    details = [
        InitErrorDetails(type=PydanticCustomError("data", "{message}", {"message": message}), loc=(name,), input=None)
        for name, message in sentences.items()
    ]
    return ValidationError.from_exception_data("data", details)
