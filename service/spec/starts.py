"""Starts of runs on a landscape: one point, several, a grid, or points that each seed draws."""

from collections.abc import Sequence
from math import isfinite
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from service.spec.fields import MAX_VALUES, Range, Several, Strict

MAX_DIMENSION = 1_000
# Squares of larger coordinates overflow float64.
MAX_COORDINATE = 1e100
# Keeps the stream of the starts apart from other uses of a seed. Stored jobs depend on it.
_STREAM = 0x7374_6172
Floats = NDArray[np.float64]
Domain = Sequence[tuple[float, float]]


def within_float(point: list[float]) -> list[float]:
    """Return a point, or reject one whose square overflows float64."""
    if not all(isfinite(value) and abs(value) <= MAX_COORDINATE for value in point):
        raise PydanticCustomError("coordinate", "coordinates must be between −1e100 and 1e100")
    return point


Point = Annotated[Several[float], Field(min_length=1, max_length=MAX_DIMENSION), AfterValidator(within_float)]


class StartGrid(Strict):
    """Every combination of x and y, x outermost."""

    x: Range = Field(description="Values of x.")
    y: Range | None = Field(None, description="Values of y; omitted where the problem has x alone.")

    @property
    def dimension(self) -> int:
        """Count the coordinates of each start."""
        return 1 if self.y is None else 2

    def points(self) -> Floats:
        """List the starts, shape [starts, dimension]."""
        axes = [axis.values() for axis in (self.x, self.y) if axis is not None]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def _ascending(interval: list[float]) -> list[float]:
    if not interval[0] < interval[1]:
        raise PydanticCustomError("interval", "the first number must be below the second")
    return within_float(interval)


Interval = Annotated[Several[float], Field(min_length=2, max_length=2), AfterValidator(_ascending)]


class StartBox(Strict):
    """An interval of x, and one of y where the problem has two dimensions."""

    x: Interval = Field(description="Lower and upper end of x.")
    y: Interval | None = Field(None, exclude_if=lambda y: y is None, description="Lower and upper end of y.")


class RandomStarts(Strict):
    """Starts that each seed draws uniformly, the same for every optimizer."""

    random: int = Field(ge=1, le=MAX_VALUES, description="Number of starts for each seed.")
    within: StartBox | None = Field(
        None,
        exclude_if=lambda within: within is None,
        description="Box to draw from; two dimensions at most. By default the domain of a named surface, [−5, 5] along "
        "each axis for a formula, and [−1, 1] along each axis for a quadratic.",
    )

    def fitted(self, domain: Domain) -> "RandomStarts":
        """Fill in the box from the domain of the problem, or reject a box of another dimension."""
        dimension = len(domain)
        if self.within is None:
            if dimension > 2:
                return self
            box = StartBox(**{name: [float(end) for end in ends] for name, ends in zip("xy", domain, strict=False)})
            return self.model_copy(update={"within": box})
        if dimension > 2:
            raise PydanticCustomError(
                "within",
                "'within' has x and y only, and this problem has {dimension} dimensions",
                {"dimension": dimension},
            )
        if (self.within.y is None) != (dimension == 1):
            raise PydanticCustomError(
                "within",
                "'within' must have {needed}: one interval for each dimension of the problem",
                {"needed": "x alone" if dimension == 1 else "x and y"},
            )
        return self

    def points(self, seeds_R: NDArray[np.int64], numbers_R: NDArray[np.int64], domain: Domain) -> Floats:
        """Draw start ``numbers_R[r]`` of seed ``seeds_R[r]`` for each run, shape [runs, dimension].

        Each start has a random stream of its own, a function of seed and number: it depends neither on the number of
        starts nor on other seeds. The stream is the raw output of PCG64, which NumPy keeps the same in all versions.
        """
        ends = domain if self.within is None else [end for end in (self.within.x, self.within.y) if end is not None]
        low_D, high_D = np.array(ends, dtype=np.float64).T
        places, run_R = np.unique(np.stack([seeds_R, numbers_R], axis=-1), axis=0, return_inverse=True)
        share_PD = np.empty((len(places), len(low_D)))
        for at, (seed, number) in enumerate(places.tolist()):
            words_D = np.random.PCG64(np.random.SeedSequence([seed, number, _STREAM])).random_raw(len(low_D))
            share_PD[at] = (words_D >> np.uint64(11)) * 2.0**-53
        points: Floats = (low_D + (high_D - low_D) * share_PD)[run_R.reshape(-1)]
        return points


def _form(value: object) -> str:
    """Name the form of starts, so that an error refers to this form only."""
    if value is None or isinstance(value, list):
        return "none" if value is None else "points"
    is_drawn = isinstance(value, RandomStarts) or (
        isinstance(value, dict) and not {"random", "within"}.isdisjoint(value)
    )
    return "drawn" if is_drawn else "grid"


Start = Annotated[Point | None, Field(description="Start of all runs; by default the typical start of the problem.")]
Starts = Annotated[
    Annotated[Several[Point], Field(min_length=1, max_length=MAX_VALUES), Tag("points")]
    | Annotated[StartGrid, Tag("grid")]
    | Annotated[RandomStarts, Tag("drawn")]
    | Annotated[None, Tag("none")],
    Discriminator(_form),
    Field(
        description="Several starts: a list of points, a grid with a range for x and one for y, or a number of starts "
        "that each seed draws."
    ),
]


def check_dimension(dimension: int, given: int) -> None:
    """Reject a point of another dimension than the problem."""
    if given != dimension:
        raise PydanticCustomError(
            "dimension",
            "must have {dimension} {word}, one for each dimension of the problem (got {given})",
            {"dimension": dimension, "word": "number" if dimension == 1 else "numbers", "given": given},
        )


def check_starts(starts: Any, domain: Domain, start: object) -> Any:
    """Return the starts with their box filled in; reject another dimension, or starts together with a single start."""
    if starts is None:
        return None
    if start is not None:
        raise PydanticCustomError("one_of", "give either 'start' or 'starts', not both")
    if isinstance(starts, RandomStarts):
        return starts.fitted(domain)
    for given in {starts.dimension} if isinstance(starts, StartGrid) else {len(point) for point in starts}:
        check_dimension(len(domain), given)
    return starts
