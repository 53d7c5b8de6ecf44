"""Models of answers about datasets: the dataset, its columns, and its first rows."""

from datetime import datetime
from typing import Any, Literal

from service.api.schemas.answers import Answer, Number
from service.database.datasets.stored import Found


class ColumnAnswer(Answer):
    """A column of a dataset."""

    name: str
    """The name in the file; `column_1` and so on without a header; `x0` and so on, `x` and `y` in an NPZ."""
    kind: Literal["number", "category", "image", "text"]
    """`category`: a value is not a number, or the file declares classes."""
    missing: int
    """Number of missing values."""
    distinct: int | None
    """Number of distinct values, of a text of distinct characters; null for images."""
    min: Number | None
    """Smallest value of numbers and pixels."""
    max: Number | None
    """Largest value of numbers and pixels."""
    mean: Number | None
    """Mean of numbers and pixels."""


class DatasetAnswer(Answer):
    """A dataset: a table, images with labels, or a text."""

    id: str
    """Opaque id; of a built-in dataset its name."""
    name: str
    """The name given at the upload."""
    digest: str
    """SHA-256 of the file, in hexadecimal."""
    media_type: str
    """Media type of the file."""
    created_at: datetime | None
    """Time of the upload; null for built-in datasets."""
    expires_at: datetime | None
    """Time at which it is deleted, once no open job uses it; null: it is kept."""
    rows: int
    """Number of rows; of a text number of characters."""
    bytes: int
    """Size of the file."""
    columns: list[ColumnAnswer] | None
    """The columns; in a list null where there are more than about 200."""
    shape: list[int]
    """[rows, columns], of images [rows, height, width, channels], of a text [characters]."""


class RowsAnswer(Answer):
    """The first rows of a dataset."""

    columns: list[str]
    """Names of the columns."""
    rows: list[list[Any]]
    """The values of each row: numbers, texts of categories, images as [height][width][channels], lines of a text; null
    where a value is missing."""


def dataset_answer(found: Found) -> DatasetAnswer:
    """Make the answer for a dataset."""
    return DatasetAnswer(
        id=found.id,
        name=found.name,
        digest=found.digest,
        media_type=found.media_type,
        created_at=found.created_at,
        expires_at=found.expires_at,
        rows=found.num_rows,
        bytes=found.num_bytes,
        columns=None if found.columns is None else [ColumnAnswer(**column) for column in found.columns],
        shape=found.shape,
    )
