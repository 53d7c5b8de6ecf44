"""Common fields of surfaces and quadratics: starts, gradient noise, a shift."""

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo
from pydantic_core import PydanticCustomError

from service.spec.metric_fields import with_common
from service.spec.starts import Domain, Floats, Point, RandomStarts, StartGrid, check_dimension

Noise = Annotated[
    float,
    Field(
        ge=0,
        le=1e6,
        description="Standard deviation of the Gaussian noise on each gradient component (divided by √batch_size).",
    ),
]
ShiftAt = Annotated[
    int | None,
    Field(
        ge=1,
        description="Moves the landscape once, by shift_by, after this many updates; the row of that epoch is the "
        "first that refers to the moved landscape.",
    ),
]
ShiftBy = Annotated[Point | None, Field(description="Shift of the landscape at shift_at, along each axis.")]


class Landscape:
    """Base of surfaces and quadratics, with one or several starts."""

    has_matrices: ClassVar[bool] = False
    is_landscape: ClassVar[bool] = True
    has_test_data: ClassVar[bool] = False
    has_decision: ClassVar[bool] = False
    default_batch_size: ClassVar[int] = 1
    default_epochs: ClassVar[int] = 200
    default_shuffle: ClassVar[bool] = False
    default_dtype: ClassVar[Literal["float32", "float64"]] = "float64"
    numbers_per_example: ClassVar[int] = 0
    targets: ClassVar[tuple[float, ...]] = ()

    if TYPE_CHECKING:  # At run time pydantic would make them fields here, before the fields of the subclasses.
        start: list[float] | None
        starts: list[list[float]] | StartGrid | RandomStarts | None
        shift_at: int | None
        shift_by: list[float] | None

    @property
    def dimension(self) -> int:
        """Count the coordinates of a point."""
        raise NotImplementedError

    @property
    def domain(self) -> Domain:
        """Give the interval of random starts along each axis."""
        raise NotImplementedError

    @property
    def minima(self) -> tuple[tuple[float, ...], ...]:
        """List the known minima."""
        raise NotImplementedError

    @property
    def least_loss(self) -> float | None:
        """Give the loss below which no point lies; None where it is unknown or the loss has no bound."""
        raise NotImplementedError

    @property
    def num_parameters(self) -> int:
        """Count the coordinates."""
        return self.dimension

    @property
    def num_examples(self) -> None:
        """None: a landscape has no data."""
        return

    @property
    def num_starts(self) -> int:
        """Count the starts without listing them."""
        if isinstance(self.starts, StartGrid):
            return self.starts.x.num * (self.starts.y.num if self.starts.y else 1)
        if isinstance(self.starts, RandomStarts):
            return self.starts.random
        return len(self.starts) if self.starts is not None else 1

    def points(self, seeds_R: NDArray[np.int64], numbers_R: NDArray[np.int64]) -> Floats:
        """Give start ``numbers_R[r]`` of seed ``seeds_R[r]`` for each run, shape [runs, dimension]."""
        if isinstance(self.starts, RandomStarts):
            return self.starts.points(seeds_R, numbers_R, self.domain)
        return self._fixed[numbers_R]

    @property
    def first_point(self) -> Floats:
        """Give one start, shape [dimension]: the first, and of random ones the first of seed 0."""
        nothing = np.zeros(1, dtype=np.int64)
        first: Floats = self.points(nothing, nothing)[0]
        return first

    @cached_property
    def _fixed(self) -> Floats:
        if isinstance(self.starts, StartGrid):
            return self.starts.points()
        return np.asarray(self.starts if self.starts is not None else [self.start], dtype=np.float64)

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the fields of this problem."""
        distance = ("distance_to_minimum",) if self.minima else ()
        position = ("position",) if self.dimension <= 2 else ()
        return with_common(*distance, *position)


def check_shift(shift_by: list[float] | None, dimension: int | None, info: ValidationInfo) -> list[float] | None:
    """Reject shift_at without shift_by, shift_by without shift_at, and a shift of another dimension."""
    if "shift_at" in info.data and (info.data["shift_at"] is None) != (shift_by is None):
        raise PydanticCustomError("shift", "shift_at and shift_by must be given together")
    if shift_by is not None and dimension is not None:
        check_dimension(dimension, len(shift_by))
    return shift_by
