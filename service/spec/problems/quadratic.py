"""Quadratics of any dimension, by their eigenvalues."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from service.spec.fields import Several, Strict
from service.spec.landscape import Landscape, Noise, ShiftAt, ShiftBy, check_shift
from service.spec.starts import MAX_DIMENSION, Domain, Start, Starts, check_dimension, check_starts, within_float

# Random starts are drawn from this interval along each axis, unless given.
UNIT = (-1.0, 1.0)


class Quadratic(Landscape, Strict):
    """A bowl (or saddle) of any dimension up to 1,000: ½ Σ λᵢ wᵢ²."""

    title: ClassVar = "Quadratic"
    formula: ClassVar = "f(w) = ½ Σ λᵢ wᵢ²"
    reference: ClassVar = "Nesterov: Introductory Lectures on Convex Optimization (2004)"

    kind: Literal["quadratic"]
    eigenvalues: Several[float] = Field(
        min_length=1,
        max_length=MAX_DIMENSION,
        description="λ: the curvature along each axis; their number is the dimension.",
    )
    angle: float = Field(0.0, ge=-360, le=360, description="Rotation of the axes in degrees; in two dimensions only.")
    noise: Noise = 0.0
    start: Start = None
    starts: Starts = None
    shift_at: ShiftAt = None
    shift_by: ShiftBy = Field(None, validate_default=True)

    @field_validator("eigenvalues")
    @classmethod
    def _bounded(cls, eigenvalues: list[float]) -> list[float]:
        return within_float(eigenvalues)

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
            return check_starts(starts, [UNIT] * len(info.data["eigenvalues"]), info.data.get("start"))
        return starts

    @field_validator("shift_by")
    @classmethod
    def _shift_fits(cls, shift_by: list[float] | None, info: ValidationInfo) -> list[float] | None:
        return check_shift(shift_by, len(info.data["eigenvalues"]) if "eigenvalues" in info.data else None, info)

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
    def domain(self) -> Domain:
        """Give the interval of random starts along each axis."""
        return [UNIT] * self.dimension

    @property
    def minima(self) -> tuple[tuple[float, ...], ...]:
        """The origin, where all eigenvalues are positive."""
        return ((0.0,) * self.dimension,) if min(self.eigenvalues) > 0 else ()

    @property
    def least_loss(self) -> float | None:
        """Zero, unless an eigenvalue is negative."""
        return 0.0 if min(self.eigenvalues) >= 0 else None
