"""Short forms of a spec: a bare kind of optimizer, and the starts of a search that gives none."""

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from service.spec.optimizers import BUILT_IN, KNOWN_KINDS
from service.spec.plugin import KIND_PATTERN, Plugin
from service.spec.spaces import bare

KINDS = tuple(kind.model_fields["kind"].annotation.__args__[0] for kind in BUILT_IN)  # type: ignore[union-attr]

# Titles of the bare kinds in the JSON Schema.
BARE_KIND = "Bare kind with its whole default space"
OFFERED_KIND = "Bare kind that a worker offers"


class BareKind:
    """Accepts the kind of an optimizer in place of an entry, and makes it the entry with its whole default space."""

    @staticmethod
    def expand(value: Any) -> Any:
        """Give the entry of a bare kind; anything else is returned unchanged.

        Raises:
            PydanticCustomError: There is no such kind.
        """
        if not isinstance(value, str):
            return value
        if value not in KINDS:
            raise PydanticCustomError(
                "unknown_kind",
                "no optimizer is called '{name}'; there are {known}",
                {"name": value[:100], "known": ", ".join(KINDS)},
            )
        return bare(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Expand before the entry is validated."""
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the bare kinds, and the kinds that workers offer, to the forms of an entry."""
        word = {"type": "string", "enum": list(KINDS), "title": BARE_KIND}
        offered = {"type": "string", "pattern": KIND_PATTERN, "not": {"enum": [*KNOWN_KINDS]}, "title": OFFERED_KIND}
        return {"anyOf": [word, handler(schema), offered, handler(Plugin.__pydantic_core_schema__)]}


def with_drawn_starts(value: Any) -> Any:
    """Give a spec whose search has no noise, no seeded data and no start one random start for each seed.

    Without it every seed would train the same runs. ``value`` is a spec before its validation: any JSON value.
    """
    if not isinstance(value, dict):
        return value
    problem, entries = value.get("problem"), value.get("optimizers")
    if not isinstance(problem, dict) or not isinstance(entries, list) or not any(map(_is_searched, entries)):
        return value
    is_noiseless = problem.get("kind") in ("surface", "quadratic") and not problem.get("noise")
    if is_noiseless and problem.get("start") is None and problem.get("starts") is None:
        return {**value, "problem": {**problem, "starts": {"random": 1}}}
    return value


def _is_searched(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return isinstance(entry, str)
    parameters = entry.get("parameters")
    grids = [*entry.values(), *(parameters.values() if isinstance(parameters, dict) else [])]
    intervals = [grid for grid in grids if isinstance(grid, dict) and "from" in grid and "num" not in grid]
    return "lr" not in entry or bool(intervals)
