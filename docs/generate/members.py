"""The pages of the job spec, problems, optimizers and schedules."""

import json
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from docs.generate.words import Schema, fields, prose, table, values
from service.spec import spaces
from service.spec.as_formula import as_formula
from service.spec.entry import Entry
from service.spec.fields import Interval
from service.spec.job import JobSpec
from service.spec.optimizers import OPTIMIZERS
from service.spec.optimizers.formula import Formula
from service.spec.problems import PROBLEMS
from service.spec.schedules import SCHEDULES
from service.spec.spaces import default_space
from service.spec.surfaces import SURFACES
from service.spec.warmup import WarmUp


def job_spec() -> str:
    """Return the page of the job spec."""
    schema = JobSpec.model_json_schema()
    parts = schema["$defs"]
    return "\n".join(
        [
            "# The job spec\n",
            prose(schema["description"]) + " `POST /v1/jobs` takes it as JSON; unknown fields are rejected.\n",
            fields(schema),
            "The runs of a job are settings × seeds × starts, in this order of nesting.\n",
            _part("Ranges", parts["Range"]),
            "The lists and ranges of an entry multiply into a grid.\n",
            _part("Intervals", parts["Interval"]),
            "An entry with an interval has as many settings as the search has trials, whatever it searches. Each "
            "hyper-parameter of it that is no number is a dimension of the search, in the order of the fields of its "
            "kind. From a list or range beside an interval, values are drawn.\n",
            _part("Search", parts["Search"]),
            _part("Seeds", parts["SeedRange"]),
            "## Kinds\n",
            table(
                ("field", "kinds"),
                [
                    ("`problem`", _kinds(PROBLEMS, "problems.md")),
                    ("`optimizers`", _kinds(OPTIMIZERS, "optimizers.md")),
                    ("`schedule`, `momentum_schedule` of an optimizer", _kinds(SCHEDULES, "schedules.md")),
                ],
            ),
        ]
    )


def optimizers() -> str:
    """Return the page of the optimizers, with formula, hyper-parameters and reference."""
    shared = Entry.model_json_schema()
    text = [
        "# Optimizers\n",
        "An entry of `optimizers` has a `kind`, the common fields, and the fields of its kind. In the formulas `w` "
        "are the parameters, `g` is the gradient and `t` counts updates. The state is the number of values kept per "
        "parameter; flags and momentum may add to it.\n",
        prose("A bare kind in place of an entry searches the default space of its kind. " + _reasons(spaces)) + "\n",
        "## Common fields\n",
        fields(shared, without=["kind"]),
    ]
    for kind in OPTIMIZERS:
        schema = kind.model_json_schema()
        text += _member(kind, schema, _same(schema, shared))
        scheduled = f"`{kind.scheduled_momentum}`" if kind.scheduled_momentum else "nothing"
        space = ", ".join(
            _interval(name, interval) for name, interval in default_space(schema["properties"]["kind"]["const"]).items()
        )
        text.append(f"Default space: {space}.\n")
        if own := as_formula(kind):
            text.append(f"As a formula:\n\n```json\n{_json(own)}\n```\n")
        num: object = kind.state_per_parameter
        if kind is Formula:
            num, scheduled = "one number for each state", "the parameter that `momentum` names"
        text.append(f"State per parameter: {num}. `momentum_schedule` applies to {scheduled}.\n")
    return "\n".join(text)


def schedules() -> str:
    """Return the page of the schedules, with formula, parameters and reference."""
    shared = WarmUp.model_json_schema()
    text = [
        "# Schedules\n",
        "A schedule multiplies the learning rate (`schedule`) or the momentum (`momentum_schedule`) by a factor that "
        "depends on the step `t`, counted from the end of a linear warm-up.\n",
        "## Common fields\n",
        fields(shared, without=["kind"]),
    ]
    for kind in SCHEDULES:
        schema = kind.model_json_schema()
        text += _member(kind, schema, _same(schema, shared))
    return "\n".join(text)


def problems() -> str:
    """Return the page of the problems and named surfaces."""
    text = ["# Problems\n", "`problem` of a job has a `kind` and the fields of that kind.\n"]
    parts: dict[str, Any] = {}
    for kind in PROBLEMS:
        schema = kind.model_json_schema()
        parts.update(schema.get("$defs", {}))
        text += _member(kind, schema, set())
        # Those of the defaults: a playground that is a regression has none.
        targets = () if kind.is_landscape else kind.model_construct().targets
        if targets:
            text.append(f"Target losses of comparisons: {', '.join(f'{target:g}' for target in targets)}.\n")
    text += [
        _part("Grids of starts", parts["StartGrid"]),
        _part("Random starts", parts["RandomStarts"]),
        "Each start is a function of the seed and its number: it depends neither on the number of starts nor on other "
        "seeds. The starts of a run are in its `start`.\n",
        _part("Box of random starts", parts["StartBox"]),
        "## Named surfaces\n",
    ]
    for surface in SURFACES.values():
        minima = "; ".join(f"{_point(position)} with value {surface.value:g}" for position in surface.minima)
        domain = " × ".join(f"[{low:g}, {high:g}]" for low, high in surface.domain)
        local = [f"{_point(at)} with value {value:g}" for at, value in surface.local_minima]
        rows = [
            ("formula", f"`{surface.formula}`"),
            ("domain", domain),
            ("minima", minima or "none"),
            *([("local minima", "; ".join(local))] if local else []),
            ("start", _point(surface.start)),
            ("scale of losses", "linear" if surface.least_loss is None else "log"),
            ("reference", surface.reference),
        ]
        text += [f"### {surface.name}\n", f"{surface.title}. {surface.sentence}\n", table(("", ""), rows)]
    return "\n".join(text)


def _json(entry: dict[str, Any]) -> str:
    """Write an entry with a line for each field and for each assignment."""
    lines = []
    for name, value in entry.items():
        if name == "update":
            assignments = ",\n".join(f"    {json.dumps(one)}" for one in value)
            lines.append(f'  "update": [\n{assignments}\n  ]')
        else:
            lines.append(f"  {json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def _reasons(module: ModuleType) -> str:
    """Give the docstring of a module after its first line."""
    return (module.__doc__ or "").partition("\n")[2]


def _interval(name: str, interval: Interval) -> str:
    scale = "" if interval.scale == "linear" else f" ({interval.scale})"
    return f"`{name}` from {interval.from_:g} to {interval.to:g}{scale}"


def _member(kind: Any, schema: Schema, shared: set[str]) -> list[str]:
    name = schema["properties"]["kind"]["const"]
    return [
        f"## {name}\n",
        f"**{kind.title}.** {prose(schema['description'])}\n",
        f"`{kind.formula}`\n",
        f"Reference: {kind.reference}.\n",
        fields(schema, without=shared | {"kind"}),
    ]


def _part(title: str, schema: Schema) -> str:
    return f"## {title}\n\n{prose(schema['description'])}\n\n{fields(schema)}"


def _same(schema: Schema, shared: Schema) -> set[str]:
    """Return the names of fields that equal the common ones in values, default and description."""
    return {
        name
        for name, field in schema["properties"].items()
        if (before := shared["properties"].get(name)) is not None
        and (values(field), field.get("default"), field.get("description"))
        == (values(before), before.get("default"), before.get("description"))
    }


def _kinds(members: Iterable[Any], page: str) -> str:
    names = [member.model_json_schema()["properties"]["kind"]["const"] for member in members]
    return ", ".join(f"[{name}]({page}#{name})" for name in names)


def _point(position: Iterable[float]) -> str:
    return f"({', '.join(f'{value:.6g}' for value in position)})"
