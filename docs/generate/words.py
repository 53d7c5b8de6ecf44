"""JSON Schema in words: allowed values, defaults and tables of fields."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from service.spec.bare_kinds import BARE_KIND, OFFERED_KIND

Schema = Mapping[str, Any]

# Page and heading of each part of a spec.
_HOMES = {
    "Range": "job-spec.md#ranges",
    "Interval": "job-spec.md#intervals",
    "Search": "job-spec.md#search",
    "SeedRange": "job-spec.md#seeds",
    "StartGrid": "problems.md#grids-of-starts",
    "RandomStarts": "problems.md#random-starts",
    "StartBox": "problems.md#box-of-random-starts",
    "Surface": "problems.md#surface",
    "Quadratic": "problems.md#quadratic",
    "JobSpec": "job-spec.md",
    "Schedule": "schedules.md",
    "TrainingProblem": "problems.md",
    "OptimizerEntry": "optimizers.md",
    "Formula": "optimizers.md#formula",
}
# Unions by one of their members, and the page that describes the members.
_UNIONS = {
    "flipnet": "one of the [problems](problems.md)",
    "sgd": "[optimizers](optimizers.md)",
    "constant": "one of the [schedules](schedules.md)",
}
_BARE = {BARE_KIND: "a bare kind", OFFERED_KIND: "a bare offered kind"}
# A default that depends on other fields is described in the sentence, not in the schema.
_TOLD = re.compile(r"by default|unless given", re.IGNORECASE)


def values(schema: Schema) -> str:
    """Describe the allowed values of a field."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}]({_HOMES.get(name, 'http-api.md#' + name.lower())})"
    if schema.get("title") in _BARE:
        return _BARE[schema["title"]]
    if "enum" in schema:
        return ", ".join(_code(value) for value in schema["enum"])
    if "const" in schema:
        return _code(schema["const"])
    for member in schema.get("discriminator", {}).get("mapping", {}):
        if member in _UNIONS:
            return _UNIONS[member]
    forms = schema.get("oneOf") or schema.get("anyOf")
    if forms:
        if _is_grid(forms):
            several = "a list, [range](job-spec.md#ranges) or [interval](job-spec.md#intervals)"
            return f"{values(forms[0])}, or {several} of these"
        return " or ".join(values(form) for form in forms)
    return _typed(schema)


def _typed(schema: Schema) -> str:
    kind = schema.get("type")
    if kind in ("number", "integer"):
        word = "whole number" if kind == "integer" else "number"
        return f"{word} {_interval(schema)}".strip()
    if kind == "array":
        items = values(schema["items"]) if schema.get("items") else "anything"
        items = re.sub(r"^(whole number|number|list)\b", r"\1s", items)
        return f"list of {_span(schema.get('minItems'), schema.get('maxItems'))} {items}".replace("  ", " ")
    if kind == "string":
        span = _span(schema.get("minLength"), schema.get("maxLength"))
        return {"date-time": "time"}.get(schema.get("format", ""), f"text of {span} characters" if span else "text")
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {values(schema['additionalProperties'])}"
    return {"boolean": "`true`, `false`", "null": "`null`", "object": "object"}.get(str(kind), "anything")


def _interval(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"from {_number(low)} to {_number(high)}"
    words = {
        "above": schema.get("exclusiveMinimum"),
        "at least": low,
        "below": schema.get("exclusiveMaximum"),
        "at most": high,
    }
    return " and ".join(f"{word} {_number(bound)}" for word, bound in words.items() if bound is not None)


def _span(least: int | None, most: int | None) -> str:
    if least is not None and most is not None:
        return _number(least) if least == most else f"{_number(least)} to {_number(most)}"
    return f"up to {_number(most)}" if most is not None else f"at least {_number(least)}" if least else ""


def _is_grid(forms: list[Schema]) -> bool:
    kinds = [form.get("type") for form in forms]
    return kinds == ["number", "array", None, None] and forms[2].get("$ref", "").endswith("/Range")


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) or (value.is_integer() and abs(value) < 1e7) else f"{value:g}"


def _code(value: object) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def default(name: str, schema: Schema, required: Iterable[str]) -> str:
    """Describe the default of a field."""
    if name in required:
        return "required"
    if _TOLD.search(schema.get("description", "")):
        return "see meaning"
    value = schema.get("default", [] if schema.get("type") == "array" else None)
    if isinstance(value, Mapping) and "kind" in value:
        return _code(value["kind"])
    return _code(round(value, 4) if isinstance(value, float) and value > 0.01 else value)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    lines = [list(heads), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


def fields(schema: Schema, *, without: Iterable[str] = ()) -> str:
    """Return a table of the fields of an object: values, default and meaning."""
    left_out = set(without)
    required = schema.get("required", [])
    rows = [
        (f"`{name}`", values(field), default(name, field, required), field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
        if name not in left_out
    ]
    return table(("field", "values", "default", "meaning"), rows) if rows else "No further fields.\n"


def prose(text: str) -> str:
    """Convert a docstring to Markdown in one line with single backticks."""
    return " ".join(text.replace("``", "`").split())
