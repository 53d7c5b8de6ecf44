"""Kinds that workers offer from installed classes of torch, and the check of an entry against its offer.

The API never imports the classes: it knows what workers have written about them.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from service.spec.entry import Entry
from service.spec.fields import Grid, Range, Within, ends_of, values_of
from service.spec.plugin import KIND_PATTERN, Plugin


class HyperParameter(BaseModel):
    """A hyper-parameter of an installed class; bounds are those that its constructor checks.

    Attributes:
        argument: The argument of the constructor, where it has another name.
        in_tuple: Whether the argument is a tuple, which has the hyper-parameters with the same argument in their order.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    type: Literal["number", "integer", "flag"]
    default: float | int | bool
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    argument: str | None = None
    in_tuple: bool = False

    def objection(self, value: Any) -> str | None:
        """Say what is allowed if a value of an entry is not: a flag, or a grid of numbers."""
        if (self.type == "flag") != isinstance(value, bool):
            return (
                "must be true or false" if self.type == "flag" else "must be a number, a list, a range or an interval"
            )
        if self.type == "flag":
            return None
        try:
            Within(self.gt, self.ge, self.lt, self.le).check(value)
        except PydanticCustomError as error:
            return error.message()
        if self.type == "integer" and not _is_whole(value):
            return "must be a whole number, or a list or range of whole numbers"
        return None

    def schema_part(self) -> dict[str, Any]:
        """Describe it as a JSON Schema, as the hyper-parameters of other kinds are; forms are in its definitions."""
        what = {"flag": "Flag", "integer": "Whole number", "number": "Number"}[self.type]
        shown = {"default": self.default, "description": f"{what} of the class."}
        if self.type == "flag":
            return {"type": "boolean", **shown}
        within = Within(self.gt, self.ge, self.lt, self.le)
        forms = TypeAdapter(Annotated[Grid, within]).json_schema()["oneOf"]
        return {"oneOf": forms, **shown}


class Offer(BaseModel):
    """A kind that a worker offers.

    Attributes:
        class_name: Module and name of the class, as it is imported.
        lr: A learning rate to start from: the default of the class, if it has one.
        package: The distribution that has the class, with its version.
        elementwise: Whether one optimizer steps all runs of a setting together; else each run has its own.
        run_by_run_with: Hyper-parameters that make an elementwise class step run by run if a flag is not at its
            default, or a number is zero where the default is not, or the other way round.
        state_per_parameter: Numbers of state for each parameter.
        left_out: Arguments of the class that are no hyper-parameters, each with the reason.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str = Field(pattern=KIND_PATTERN)
    class_name: str
    package: str
    lr: float = 1e-3
    elementwise: bool
    state_per_parameter: float
    hyper_parameters: tuple[HyperParameter, ...]
    run_by_run_with: tuple[str, ...] = ()
    left_out: dict[str, str] = {}

    def start(self) -> dict[str, Any]:
        """Give a complete entry to start from."""
        return {"kind": self.kind, "lr": self.lr, **{one.name: one.default for one in self.hyper_parameters}}

    def constructor(self) -> dict[str, Any]:
        """Describe how the class is called, as JSON."""
        fields = {"name", "type", "default", "argument", "in_tuple"}
        arguments = [one.model_dump(include=fields, exclude_defaults=True) for one in self.hyper_parameters]
        return {"class": self.class_name, "arguments": arguments}

    def complete(self, given: Mapping[str, Any]) -> Plugin:
        """Check an entry, and complete it with the defaults of the class, in the order of its arguments.

        Raises:
            ValidationError: A field is unknown, or a value is not allowed.
        """
        own = {one.name: one for one in self.hyper_parameters}
        Plugin.model_validate(dict(given))
        common = {name: value for name, value in given.items() if name in Plugin.model_fields and name != "run_by_run"}
        known = ", ".join([*Entry.model_fields, *own])
        unknown = [name for name in given if name not in Plugin.model_fields and name not in own]
        _raise(((name,), f"there is no field {name!r} here; there are {known}") for name in unknown)
        values = {name: given.get(name, one.default) for name, one in own.items()}
        entry = Plugin.model_validate({**common, **values})
        parsed = {**entry.grids(), **entry.flags()}
        _raise(((name,), said) for name, one in own.items() if (said := one.objection(parsed[name])) is not None)
        run_by_run = not self.elementwise or any(_is_toggled(own[name], parsed[name]) for name in self.run_by_run_with)
        if given.get("run_by_run", run_by_run) is not run_by_run:
            _raise([(("run_by_run",), f"must be {str(run_by_run).lower()} here, or left out")])
        entry = Plugin.model_validate({**common, "run_by_run": run_by_run, **values})
        # Labels name what the request has, not the defaults.
        object.__setattr__(entry, "__pydantic_fields_set__", {*given})
        return entry


def _is_toggled(one: HyperParameter, value: Any) -> bool:
    if one.type == "flag":
        return bool(value) != one.default
    values = values_of(value) if isinstance(value, Range | list) else ends_of(value)
    return any((number == 0) != (one.default == 0) for number in values)


def _is_whole(value: Any) -> bool:
    return not hasattr(value, "at") and all(float(number).is_integer() for number in values_of(value))


def _raise(found: Any) -> None:
    details = [
        InitErrorDetails(type=PydanticCustomError("offer", "{message}", {"message": message}), loc=place, input=None)
        for place, message in _few(found)
    ]
    if details:
        raise ValidationError.from_exception_data("offer", details)


def _few(found: Any, most: int = 20) -> Iterator[tuple[tuple[str, ...], str]]:
    for _, one in zip(range(most), found, strict=False):
        yield one
