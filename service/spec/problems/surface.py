"""Loss surfaces: named ones of the catalogue, and formulas of the user."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from service.spec.fields import Strict
from service.spec.formulas.expression import Expression, parse, parse_letters
from service.spec.formulas.grammar import LETTERS, SURFACE
from service.spec.formulas.tokens import ExpressionError
from service.spec.landscape import Landscape, Noise, ShiftAt, ShiftBy, check_shift
from service.spec.starts import Domain, Start, Starts, check_dimension, check_starts
from service.spec.surfaces import SURFACES

MAX_LETTERS = 20
# Random starts on a formula are drawn from this interval along each axis, unless given.
AROUND_ORIGIN = (-5.0, 5.0)


class Surface(Landscape, Strict):
    """A loss surface over x and y (or x alone): a named one, or a formula of the user."""

    title: ClassVar = "Loss surface"
    formula: ClassVar = "f(x, y)"
    reference: ClassVar = "Surjanovic, Bingham: Virtual Library of Simulation Experiments (2013), for most named ones"

    kind: Literal["surface"]
    name: str | None = Field(
        None, description="A surface of the catalogue.", json_schema_extra={"enum": [*SURFACES, None]}
    )
    parameters: dict[str, float] = Field(
        {},
        max_length=MAX_LETTERS,
        exclude_if=lambda parameters: not parameters,
        description="Numbers of the letters of the formula other than x, y and e: "
        '{"a": 2} in a x². Words have at most one such letter.',
    )
    expression: str | None = Field(
        None,
        description=f"Instead of a name, a formula of {SURFACE.contents}, and the letters in parameters.",
        examples=["x**2 + 10*y**2"],
    )
    noise: Noise = 0.0
    start: Start = None
    starts: Starts = None
    shift_at: ShiftAt = None
    shift_by: ShiftBy = Field(None, validate_default=True)

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

    @field_validator("parameters")
    @classmethod
    def _letters(cls, parameters: dict[str, float]) -> dict[str, float]:
        for letter in parameters:
            if letter not in LETTERS:
                raise PydanticCustomError(
                    "letter", "a parameter is one letter other than x, y and e, not '{name}'", {"name": letter[:40]}
                )
        return parameters

    @field_validator("expression")
    @classmethod
    def _readable(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None:
            if info.data.get("name") is not None:
                raise PydanticCustomError("one_of", "give either 'name' or 'expression', not both")
            try:
                formula = parse(text, info.data.get("parameters"))
            except ExpressionError as error:
                raise PydanticCustomError("formula", "{reason}", {"reason": str(error)}) from error
            if unused := set(info.data.get("parameters", ())).difference(formula.letters):
                raise PydanticCustomError(
                    "unused_parameter", "the formula has no letter {letters}", {"letters": ", ".join(sorted(unused))}
                )
            return formula.text
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
            return check_starts(starts, _domain_of(info.data.get("name"), formula.dimension), info.data.get("start"))
        return starts

    @field_validator("shift_by")
    @classmethod
    def _shift_fits(cls, shift_by: list[float] | None, info: ValidationInfo) -> list[float] | None:
        return check_shift(shift_by, formula.dimension if (formula := _formula_of(info)) else None, info)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.name is not None and self.parameters:
            raise PydanticCustomError("one_of", "the letters in 'parameters' belong to an 'expression'")
        if self.name is None and self.expression is None:
            raise PydanticCustomError("missing", "a surface needs a 'name' of the catalogue or an 'expression'")
        if self.start is None and self.starts is None:
            if self.name is None:
                raise PydanticCustomError("missing", "a formula needs a 'start' or 'starts'")
            object.__setattr__(self, "start", list(SURFACES[self.name].start))
        return self

    @property
    def landscape(self) -> Expression:
        """Give the parsed formula."""
        return parse(SURFACES[self.name].formula if self.name else self.expression or "", self.parameters)

    @property
    def with_letters(self) -> tuple[Expression, str]:
        """Give the formula with its letters as inputs, and as MathML."""
        return parse_letters(SURFACES[self.name].formula if self.name else self.expression or "")

    @property
    def dimension(self) -> int:
        """Count the variables of the formula."""
        return self.landscape.dimension

    @property
    def domain(self) -> Domain:
        """Give the interval of random starts along each axis."""
        return _domain_of(self.name, self.dimension)

    @property
    def minima(self) -> tuple[tuple[float, ...], ...]:
        """List the known minima: those of the catalogue."""
        return SURFACES[self.name].minima if self.name else ()

    @property
    def least_loss(self) -> float | None:
        """The value of the catalogue; unknown for formulas."""
        return SURFACES[self.name].least_loss if self.name else None


def _domain_of(name: str | None, dimension: int) -> Domain:
    return SURFACES[name].domain if name else [AROUND_ORIGIN] * dimension


def _formula_of(info: ValidationInfo) -> Expression | None:
    """Find the formula among the fields validated so far; None if they are invalid."""
    name, text = info.data.get("name"), info.data.get("expression")
    formula = SURFACES[name].formula if name else text
    return None if formula is None else parse(formula, info.data.get("parameters"))
