"""Numbers of a spec: one value, a list, a range or an interval, within stated bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from service.spec.documented import Documented

# A list or range has at most as many values as a job may have runs.
MAX_VALUES = 1_000_000
# Unknown fields of one object that are reported one by one; an object with more is rejected as a whole.
MAX_UNKNOWN = 20

Item = TypeVar("Item")
# A list whose check ends at the first invalid item, so that a long list has one error instead of one for each item.
Several = Annotated[list[Item], Field(fail_fast=True)]


class Strict(Documented):
    """A part of a spec: no unknown field, no number as text, no NaN; immutable."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        populate_by_name=True,
        serialize_by_alias=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _has_few_unknown_fields(cls, value: Any) -> Any:
        """Reject an object with many unknown fields, each of which would be an error of its own."""
        if isinstance(value, dict) and len(value) > len(cls.model_fields) + MAX_UNKNOWN:
            known = ", ".join(field.alias or name for name, field in cls.model_fields.items())
            raise PydanticCustomError(
                "too_many_fields",
                "this object has {given} fields; there are {known}",
                {"given": len(value), "known": known},
            )
        return value


# PostgreSQL stores every character except U+0000. The pattern is part of the JSON Schema.
NO_ZERO_CHARACTER = r"^[^\x00]*$"


Scale = Literal["linear", "log", "one_minus_log"]


def _check_scale(scale: Scale, *ends: float) -> None:
    """Reject ends that have no logarithm on their scale."""
    if scale == "log" and min(ends) <= 0:
        raise PydanticCustomError("log_range", "a logarithmic range needs 'from' and 'to' above 0")
    if scale == "one_minus_log" and max(ends) >= 1:
        raise PydanticCustomError("log_range", "the scale one_minus_log needs 'from' and 'to' below 1")


class Range(Strict):
    """``num`` values from ``from`` to ``to``, both included, evenly spaced on their scale."""

    from_: float = Field(alias="from", description="First value.")
    to: float = Field(description="Last value.")
    num: int = Field(ge=1, le=MAX_VALUES, description="Number of values.")
    scale: Scale = Field(
        "linear", description="Even steps, equal ratios (log), or equal ratios of 1 − x (one_minus_log)."
    )

    def model_post_init(self, context: Any) -> None:
        """Reject ends that have no logarithm."""
        _check_scale(self.scale, self.from_, self.to)

    def values(self) -> list[float]:
        """Give the values; ``from`` and ``to`` are exact."""
        if self.num == 1:
            return [self.from_]
        if self.scale == "one_minus_log":
            spaced = 1 - np.geomspace(1 - self.from_, 1 - self.to, self.num)
        else:
            spaced = (np.geomspace if self.scale == "log" else np.linspace)(self.from_, self.to, self.num)
        return [self.from_, *spaced[1:-1].tolist(), self.to]


class Interval(Strict):
    """An interval from which the trials of a search are drawn, uniformly on its scale: a range without ``num``."""

    from_: float = Field(alias="from", description="Smallest value.")
    to: float = Field(description="Largest value.")
    scale: Scale = Field(
        "linear", description="Uniform in x, in log x (log), or in log(1 − x) (one_minus_log, for momenta)."
    )

    def model_post_init(self, context: Any) -> None:
        """Reject ends that have no logarithm, or are not in ascending order."""
        _check_scale(self.scale, self.from_, self.to)
        if not self.from_ < self.to:
            raise PydanticCustomError(
                "interval", "'from' must be below 'to'; a range with 'num' values may also descend"
            )

    def at(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the values at shares of the interval between 0 and 1, of the same shape."""
        low, high = self.from_, self.to
        if self.scale == "log":
            values = np.exp(np.log(low) + (np.log(high) - np.log(low)) * shares)
        elif self.scale == "one_minus_log":
            values = 1 - np.exp(np.log1p(-low) + (np.log1p(-high) - np.log1p(-low)) * shares)
        else:
            values = low + (high - low) * shares
        inside: NDArray[np.float64] = np.clip(values, low, high)
        return inside


def shape_of(value: object) -> str | None:
    """Name the form of a value (number, list, range or interval), so that an error refers to this form only."""
    if isinstance(value, Interval) or (isinstance(value, dict) and "num" not in value):
        return "interval"
    if isinstance(value, dict | Range):
        return "range"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "list"
    return "number"


Grid = Annotated[
    Annotated[float, Tag("number")]
    | Annotated[Several[float], Field(min_length=1, max_length=MAX_VALUES), Tag("list")]
    | Annotated[Range, Tag("range")]
    | Annotated[Interval, Tag("interval")],
    Discriminator(shape_of),
]
Values = float | list[float] | Range | Interval


def values_of(grid: float | list[float] | Range) -> list[float]:
    """List the values of a grid in the order in which they are run."""
    if isinstance(grid, Range):
        return grid.values()
    return grid if isinstance(grid, list) else [grid]


def ends_of(grid: Values) -> list[float]:
    """List the ends of a range or interval, between which all values lie, or all values of another grid."""
    return [grid.from_, grid.to] if isinstance(grid, Range | Interval) else values_of(grid)


@dataclass(frozen=True)
class Within:
    """The interval of allowed values of a grid; shown in the JSON Schema and in errors."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def sentence(self) -> str:
        """Give the allowed values in words."""
        words = {"above": self.gt, "at least": self.ge, "below": self.lt, "at most": self.le}
        return " and ".join(f"{word} {bound:g}" for word, bound in words.items() if bound is not None)

    def allows(self, value: float) -> bool:
        """Check whether one value lies inside."""
        return (
            (self.gt is None or value > self.gt)
            and (self.ge is None or value >= self.ge)
            and (self.lt is None or value < self.lt)
            and (self.le is None or value <= self.le)
        )

    def check(self, grid: Values) -> Values:
        """Return the grid, or raise an error with the value outside. A range is monotonic, so its ends are enough."""
        for value in ends_of(grid):
            if not self.allows(value):
                raise PydanticCustomError(
                    "out_of_bounds",
                    "must be {allowed} (got {value})",
                    {"allowed": self.sentence(), "value": value},
                )
        return grid

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check bounds after the form has been validated."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Write the bounds into the JSON Schema of the number and of the items of the list."""
        shown = handler(schema)
        words = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
        bounds = {word: bound for name, word in words.items() if (bound := getattr(self, name)) is not None}
        forms: list[JsonSchemaValue] = shown.get("oneOf") or shown.get("anyOf") or [shown]
        for form in forms:
            if form.get("type") == "number":
                form.update(bounds)
            elif form.get("type") == "array":
                form["items"] = {**form["items"], **bounds}
        return shown
