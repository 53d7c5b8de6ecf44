"""Optimizers that users write as formulas."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from service.spec.entry import Entry
from service.spec.fields import Grid, Several
from service.spec.formulas.grammar import update_grammar
from service.spec.formulas.reductions import REDUCTIONS
from service.spec.formulas.tokens import ExpressionError
from service.spec.formulas.update_rule import (
    MAX_ASSIGNMENTS,
    READ_ONLY,
    WEIGHTS,
    RuleError,
    UpdateRule,
    check_name,
    parse_rule,
)

MAX_NAMES = 16

_REDUCTIONS = "; ".join(
    f"{name}({', '.join(reduction.arguments)}) is {reduction.meaning}" for name, reduction in REDUCTIONS.items()
)
_CONTENTS = update_grammar((WEIGHTS, *READ_ONLY)).contents


class Formula(Entry):
    """An update rule of your own, trained like a built-in kind."""

    title: ClassVar = "Formula"
    formula: ClassVar = "w ← f(w, g, t, lr, states, parameters)"
    reference: ClassVar = "the entry itself"
    # One for each of its states.
    state_per_parameter: ClassVar = 0
    torch_class: ClassVar = None
    other_names: ClassVar = ("state", "parameters", "update", "momentum")

    kind: Literal["formula"]
    state: dict[str, float | Literal["w"]] = Field(
        {},
        max_length=MAX_NAMES,
        exclude_if=lambda state: not state,
        description="States by name: numbers kept for each parameter from update to update. The value is what all of "
        'them start at: a number, or "w", the starting weights.',
    )
    parameters: dict[str, Grid] = Field(
        {},
        max_length=MAX_NAMES,
        exclude_if=lambda parameters: not parameters,
        description="Hyper-parameters by name: numbers, lists, ranges or intervals, which multiply into a grid or are "
        "searched like those of other kinds.",
    )
    update: Several[str] = Field(
        min_length=1,
        max_length=MAX_ASSIGNMENTS,
        description="Assignments, run in order at each update, such as `w = w - lr*g`. w is assigned exactly once, "
        "states as often as needed; other assigned names are values of this update only. Names are not split: write "
        f"2*beta or 2 beta. A formula has your names and {_CONTENTS}. g is the gradient after maximize and clipping, "
        "t the number of the update from 1, lr the learning rate after its schedule, normal a standard normal number "
        f"per parameter and update, which depends on the seed only; {_REDUCTIONS}.",
    )
    momentum: str | None = Field(
        None,
        exclude_if=lambda name: name is None,
        description="Name of the parameter that momentum_schedule multiplies and the field `momentum` records.",
    )

    @field_validator("state")
    @classmethod
    def _names_of_states(cls, state: dict[str, Any]) -> dict[str, Any]:
        _raise(_bad_names(state, ()))
        return state

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Check all that depends on several fields, and write the assignments in the normal form."""
        _raise(_bad_names(self.parameters, tuple(self.state)), "parameters")
        if self.momentum is not None and self.momentum not in self.parameters:
            known = ", ".join(self.parameters) or "none"
            _raise([((), f"must be the name of a parameter (got {self.momentum!r}); there are {known}")], "momentum")
        try:
            object.__setattr__(self, "update", list(self.rule.assignments))
        except RuleError as error:
            _raise([(() if error.place is None else (error.place,), str(error))], "update")
        return self

    @property
    def rule(self) -> UpdateRule:
        """The compiled rule."""
        return parse_rule(tuple(self.state), tuple(self.parameters), tuple(self.update))

    def grids(self) -> dict[str, Any]:
        """Give the learning rate and the parameters in the order in which they nest."""
        return {"lr": self.lr, **self.parameters}

    @property
    def written(self) -> list[str]:
        """Names of the hyper-parameters that the body of the request has."""
        return [*(["lr"] if "lr" in self.model_fields_set else []), *self.parameters]

    @property
    def momentum_name(self) -> str | None:
        """Name of the parameter that a momentum schedule multiplies."""
        return self.momentum

    def resolved(self, values: Mapping[str, float]) -> dict[str, Any]:
        """Give the entry without its label, with these values of its hyper-parameters; parameters stay nested."""
        shown = {**self.model_dump(mode="json", exclude={"label"}), "lr": values["lr"]}
        return {**shown, "parameters": {name: values[name] for name in self.parameters}} if self.parameters else shown


def _bad_names(names: Mapping[str, Any], others: tuple[str, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name in names:
        try:
            check_name(name, others)
        except ExpressionError as error:
            yield (name,), str(error)


def _raise(found: Any, *place: str) -> None:
    """Raise all errors found: locations below a place, and messages."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("formula", "{message}", {"message": message}), loc=(*place, *at), input=None
        )
        for at, message in found
    ]
    if details:
        raise ValidationError.from_exception_data("formula", details)
