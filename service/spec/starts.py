"""Starts of runs on a landscape: one point, several, or a grid."""

from math import isfinite
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from service.spec.fields import MAX_VALUES, Range, Strict

MAX_DIMENSION = 1_000
# Squares of larger coordinates overflow float64.
MAX_COORDINATE = 1e100


def within_float(point: list[float]) -> list[float]:
    """Return a point, or reject one whose square overflows float64."""
    if not all(isfinite(value) and abs(value) <= MAX_COORDINATE for value in point):
        raise PydanticCustomError("coordinate", "coordinates must be between −1e100 and 1e100")
    return point


Point = Annotated[list[float], Field(min_length=1, max_length=MAX_DIMENSION), AfterValidator(within_float)]


class StartGrid(Strict):
    """Every combination of x and y, x outermost."""

    x: Range = Field(description="Values of x.")
    y: Range | None = Field(None, description="Values of y; omitted where the problem has x alone.")

    @property
    def dimension(self) -> int:
        """Count the coordinates of each start."""
        return 1 if self.y is None else 2

    def points(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """List the starts, shape [starts, dimension]."""
        axes = [axis.values() for axis in (self.x, self.y) if axis is not None]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


Start = Annotated[Point | None, Field(description="Start of all runs; by default the typical start of the problem.")]
Starts = Annotated[
    Annotated[list[Point], Field(min_length=1, max_length=MAX_VALUES), Tag("points")]
    | Annotated[StartGrid, Tag("grid")]
    | Annotated[None, Tag("none")],
    Discriminator(lambda value: "none" if value is None else "points" if isinstance(value, list) else "grid"),
    Field(description="Several starts: a list of points, or a grid with a range for x and one for y."),
]


def check_dimension(dimension: int, given: int) -> None:
    """Reject a point of another dimension than the problem."""
    if given != dimension:
        raise PydanticCustomError(
            "dimension",
            "must have {dimension} {word}, one for each dimension of the problem (got {given})",
            {"dimension": dimension, "word": "number" if dimension == 1 else "numbers", "given": given},
        )


def check_starts(starts: Any, dimension: int, start: object) -> None:
    """Reject starts of another dimension, or together with a single start."""
    if starts is None:
        return
    if start is not None:
        raise PydanticCustomError("one_of", "give either 'start' or 'starts', not both")
    for given in {starts.dimension} if isinstance(starts, StartGrid) else {len(point) for point in starts}:
        check_dimension(dimension, given)
