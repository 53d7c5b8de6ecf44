"""The pages of what a job is made of: the spec itself, its problems, optimizers and schedules."""

from collections.abc import Iterable
from typing import Any

from docs.generate.words import Schema, fields, prose, table, values
from service.spec.entry import Entry
from service.spec.job import JobSpec
from service.spec.optimizers import OPTIMIZERS
from service.spec.problems import PROBLEMS
from service.spec.schedules import SCHEDULES
from service.spec.surfaces import SURFACES
from service.spec.warmup import WarmUp


def job_spec() -> str:
    """Write what `POST /v1/jobs` takes."""
    schema = JobSpec.model_json_schema()
    parts = schema["$defs"]
    return "\n".join(
        [
            "# The job spec\n",
            prose(schema["description"]) + " `POST /v1/jobs` takes it as JSON; a field that is not here is refused.\n",
            fields(schema),
            "The runs of a job are optimizers (expanded) × seeds × starts, in that order of nesting.\n",
            _part("Ranges", parts["Range"]),
            "Lists and ranges of an optimizer multiply into a grid.\n",
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
    """Write every optimizer with its formula, hyper-parameters and reference."""
    shared = Entry.model_json_schema()
    text = [
        "# Optimizers\n",
        "One entry of a job's `optimizers` has a `kind`, the fields that all have, and those of its kind. `w` are the "
        "parameters, `g` is the gradient, `t` counts updates. "
        "The state is the numbers kept besides each parameter; a flag or a momentum may ask for more.\n",
        "## What all have\n",
        fields(shared, without=["kind"]),
    ]
    for kind in OPTIMIZERS:
        schema = kind.model_json_schema()
        text += _member(kind, schema, _same(schema, shared))
        scheduled = f"`{kind.scheduled_momentum}`" if kind.scheduled_momentum else "nothing"
        text.append(f"State for each parameter: {kind.state_per_parameter}. `momentum_schedule` changes {scheduled}.\n")
    return "\n".join(text)


def schedules() -> str:
    """Write every schedule with its formula, parameters and reference."""
    shared = WarmUp.model_json_schema()
    text = [
        "# Schedules\n",
        "A schedule multiplies a learning rate (`schedule`) or a momentum (`momentum_schedule`) by a factor of the "
        "step `t`, which is counted from the end of a linear warm-up.\n",
        "## What all have\n",
        fields(shared, without=["kind"]),
    ]
    for kind in SCHEDULES:
        schema = kind.model_json_schema()
        text += _member(kind, schema, _same(schema, shared))
    return "\n".join(text)


def problems() -> str:
    """Write every kind of problem, and every named surface."""
    text = ["# Problems\n", "`problem` of a job has a `kind` and the fields of that kind.\n"]
    parts: dict[str, Any] = {}
    for kind in PROBLEMS:
        schema = kind.model_json_schema()
        parts.update(schema.get("$defs", {}))
        text += _member(kind, schema, set())
    text += [_part("Grids of starts", parts["StartGrid"]), "## Named surfaces\n"]
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
            ("reference", surface.reference),
        ]
        text += [f"### {surface.name}\n", f"{surface.title}. {surface.sentence}\n", table(("", ""), rows)]
    return "\n".join(text)


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
    """Name the fields that a member has as all others do, with the same values and default."""
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
