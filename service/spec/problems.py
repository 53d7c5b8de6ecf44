"""Which problems may be trained on: FlipNet, surfaces and quadratics, with their parameters and starts."""

from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from service.spec.expression import Expression, ExpressionError, parse
from service.spec.fields import MAX_VALUES, Range, Strict
from service.spec.surfaces import SURFACES

MAX_DIMENSION = 1_000
# Beyond this the squares of coordinates leave float64; no surface is drawn there either.
MAX_COORDINATE = 1e100


def _within_float(point: list[float]) -> list[float]:
    if not all(isfinite(value) and abs(value) <= MAX_COORDINATE for value in point):
        raise PydanticCustomError("coordinate", "coordinates must be between −1e100 and 1e100")
    return point


Point = Annotated[list[float], Field(min_length=1, max_length=MAX_DIMENSION), AfterValidator(_within_float)]


class StartGrid(Strict):
    """Every combination of x and y, x outermost."""

    x: Range = Field(description="Values of x.")
    y: Range | None = Field(None, description="Values of y; left out where the problem has x alone.")

    @property
    def dimension(self) -> int:
        """Count the coordinates of each start."""
        return 1 if self.y is None else 2

    def points(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """List the starts, shape [starts, dimension]."""
        axes = [axis.values() for axis in (self.x, self.y) if axis is not None]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


class FlipNet(Strict):
    """A 4→3→4 network with ReLU that learns to transpose the 16 binary 2×2 images; 31 parameters, squared error."""

    title: ClassVar = "FlipNet"
    formula: ClassVar = "mean (W₂·relu(W₁·x + b₁) + b₂ − transpose(x))²"
    reference: ClassVar = "The teaching texts Ravine grew from; initial weights as torch.nn.Linear draws them"
    has_matrices: ClassVar = True

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
        """A network's start is its seed."""
        return 1

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the metrics that this problem has."""
        return ("loss", "train_loss", "accuracy", "grad_norm", "update_norm", "distance_from_start", "lr", "momentum")


Noise = Annotated[
    float,
    Field(
        ge=0,
        le=1e6,
        description="Standard deviation of the Gaussian noise on each gradient component (divided by √batch_size).",
    ),
]
Start = Annotated[Point | None, Field(description="Where all runs start; by default the problem's typical start.")]
Starts = Annotated[
    Annotated[list[Point], Field(min_length=1, max_length=MAX_VALUES), Tag("points")]
    | Annotated[StartGrid, Tag("grid")]
    | Annotated[None, Tag("none")],
    Discriminator(lambda value: "none" if value is None else "points" if isinstance(value, list) else "grid"),
    Field(description="Several starts: a list of points, or a grid with a range for x and one for y."),
]


class Landscape:
    """What surfaces and quadratics share: a point that moves, from one start or from many."""

    has_matrices: ClassVar = False

    if TYPE_CHECKING:  # pydantic would take them for fields, and fields are validated in the order of their class.
        start: list[float] | None
        starts: list[list[float]] | StartGrid | None

    @property
    def dimension(self) -> int:
        """Count the coordinates of a point."""
        raise NotImplementedError

    @property
    def minima(self) -> tuple[tuple[float, ...], ...]:
        """List the known minima."""
        raise NotImplementedError

    @property
    def num_parameters(self) -> int:
        """Count the coordinates."""
        return self.dimension

    @property
    def num_examples(self) -> None:
        """A landscape has no data."""
        return

    @property
    def num_starts(self) -> int:
        """Count the starts without listing them."""
        if isinstance(self.starts, StartGrid):
            return self.starts.x.num * (self.starts.y.num if self.starts.y else 1)
        return len(self.starts) if self.starts is not None else 1

    @cached_property
    def points(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """List the starts, shape [starts, dimension]."""
        if isinstance(self.starts, StartGrid):
            return self.starts.points()
        return np.asarray(self.starts if self.starts is not None else [self.start], dtype=np.float64)

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the metrics that this problem has."""
        distance = ("distance_to_minimum",) if self.minima else ()
        position = ("position",) if self.dimension <= 2 else ()
        moved = ("loss", "train_loss", "grad_norm", "update_norm", "distance_from_start")
        return (*moved, *distance, "lr", "momentum", *position)


def check_dimension(dimension: int, given: int) -> None:
    """Refuse a point that lies in another space than the problem."""
    if given != dimension:
        raise PydanticCustomError(
            "dimension",
            "must have {dimension} {word}, one for each dimension of the problem (got {given})",
            {"dimension": dimension, "word": "number" if dimension == 1 else "numbers", "given": given},
        )


def check_starts(starts: Any, dimension: int, start: object) -> None:
    """Refuse starts of another dimension, or beside a single start."""
    if starts is None:
        return
    if start is not None:
        raise PydanticCustomError("one_of", "give either 'start' or 'starts', not both")
    for given in {starts.dimension} if isinstance(starts, StartGrid) else {len(point) for point in starts}:
        check_dimension(dimension, given)


class Surface(Landscape, Strict):
    """A loss surface over x and y (or x alone): a named one, or a formula of the user's."""

    title: ClassVar = "Loss surface"
    formula: ClassVar = "f(x, y)"
    reference: ClassVar = "Surjanovic, Bingham: Virtual Library of Simulation Experiments (2013), for most named ones"

    kind: Literal["surface"]
    name: str | None = Field(
        None, description="A surface of the catalogue.", json_schema_extra={"enum": [*SURFACES, None]}
    )
    expression: str | None = Field(
        None,
        description="Instead of a name a formula in x and y: + - * / **, parentheses, numbers, pi, e, "
        "sin cos tan exp log sqrt abs tanh.",
        examples=["x**2 + 10*y**2"],
    )
    noise: Noise = 0.0
    start: Start = None
    starts: Starts = None

    @field_validator("name")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None and name not in SURFACES:
            raise PydanticCustomError(
                "unknown_surface",
                "no surface is called '{name}'; there are {known}",
                {"name": name, "known": ", ".join(SURFACES)},
            )
        return name

    @field_validator("expression")
    @classmethod
    def _readable(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None:
            if info.data.get("name") is not None:
                raise PydanticCustomError("one_of", "give either 'name' or 'expression', not both")
            try:
                parse(text)
            except ExpressionError as error:
                raise PydanticCustomError("formula", "{reason}", {"reason": str(error)}) from error
        return text

    @field_validator("start")
    @classmethod
    def _start_fits(cls, start: list[float] | None, info: ValidationInfo) -> list[float] | None:
        if start is not None and (formula := _formula_of(info)):
            check_dimension(formula.dimension, len(start))
        return start

    @field_validator("starts")
    @classmethod
    def _starts_fit(cls, starts: Any, info: ValidationInfo) -> Any:
        if formula := _formula_of(info):
            check_starts(starts, formula.dimension, info.data.get("start"))
        return starts

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.name is None and self.expression is None:
            raise PydanticCustomError("missing", "a surface needs a 'name' of the catalogue or an 'expression'")
        if self.start is None and self.starts is None:
            if self.name is None:
                raise PydanticCustomError("missing", "a formula needs a 'start' or 'starts'")
            object.__setattr__(self, "start", list(SURFACES[self.name].start))
        return self

    @property
    def landscape(self) -> Expression:
        """Give the formula, read."""
        return parse(SURFACES[self.name].formula if self.name else self.expression or "")

    @property
    def dimension(self) -> int:
        """Count the variables of the formula."""
        return self.landscape.dimension

    @property
    def minima(self) -> tuple[tuple[float, ...], ...]:
        """List the known minima: those of the catalogue."""
        return SURFACES[self.name].minima if self.name else ()


def _formula_of(info: ValidationInfo) -> Expression | None:
    """Find the formula among the fields validated so far; None where they were refused already."""
    name, text = info.data.get("name"), info.data.get("expression")
    formula = SURFACES[name].formula if name else text
    return None if formula is None else parse(formula)


class Quadratic(Landscape, Strict):
    """A bowl (or saddle) of any dimension up to 1,000: ½ Σ λᵢ wᵢ²."""

    title: ClassVar = "Quadratic"
    formula: ClassVar = "f(w) = ½ Σ λᵢ wᵢ²"
    reference: ClassVar = "Nesterov: Introductory Lectures on Convex Optimization (2004)"

    kind: Literal["quadratic"]
    eigenvalues: list[float] = Field(
        min_length=1,
        max_length=MAX_DIMENSION,
        description="λ: the curvature along each axis; their number is the dimension.",
    )
    angle: float = Field(0.0, ge=-360, le=360, description="Turns the axes, in degrees; in two dimensions only.")
    noise: Noise = 0.0
    start: Start = None
    starts: Starts = None

    @field_validator("eigenvalues")
    @classmethod
    def _bounded(cls, eigenvalues: list[float]) -> list[float]:
        return _within_float(eigenvalues)

    @field_validator("angle")
    @classmethod
    def _plane(cls, angle: float, info: ValidationInfo) -> float:
        if angle and len(info.data.get("eigenvalues", (1, 1))) != 2:
            raise PydanticCustomError("angle", "must be 0 unless there are exactly two eigenvalues")
        return angle

    @field_validator("start")
    @classmethod
    def _start_fits(cls, start: list[float] | None, info: ValidationInfo) -> list[float] | None:
        if start is not None and "eigenvalues" in info.data:
            check_dimension(len(info.data["eigenvalues"]), len(start))
        return start

    @field_validator("starts")
    @classmethod
    def _starts_fit(cls, starts: Any, info: ValidationInfo) -> Any:
        if "eigenvalues" in info.data:
            check_starts(starts, len(info.data["eigenvalues"]), info.data.get("start"))
        return starts

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.start is None and self.starts is None:
            object.__setattr__(self, "start", [1.0] * len(self.eigenvalues))
        return self

    @property
    def dimension(self) -> int:
        """Count the eigenvalues."""
        return len(self.eigenvalues)

    @property
    def minima(self) -> tuple[tuple[float, ...], ...]:
        """The origin, where no direction leads further down for ever."""
        return ((0.0,) * self.dimension,) if min(self.eigenvalues) >= 0 else ()


Problem = Annotated[FlipNet | Surface | Quadratic, Field(discriminator="kind")]
PROBLEMS: tuple[type[FlipNet] | type[Surface] | type[Quadratic], ...] = (FlipNet, Surface, Quadratic)
