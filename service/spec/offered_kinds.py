"""Entries whose kind is not built in: validated against the offers of workers, or as they are in a stored spec."""

from collections.abc import Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo, ValidationError, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from service.spec.offers import Offer
from service.spec.optimizers import KNOWN_KINDS
from service.spec.plugin import Plugin


class OfferedKind:
    """Accepts the kinds that the context of the validation has under ``offers``, and any kind of a stored spec."""

    @staticmethod
    def parse(value: Any, validate: Any, info: ValidationInfo) -> Any:
        """Give the entry of an offered kind; anything else is validated as a built-in kind.

        Raises:
            ValidationError: A field is unknown or not allowed, or neither the service nor a worker has the kind.
        """
        kind = value if isinstance(value, str) else value.get("kind") if isinstance(value, dict) else None
        context: Mapping[str, Any] = info.context or {}
        if not isinstance(kind, str) or kind in KNOWN_KINDS or not ("offers" in context or context.get("is_stored")):
            return validate(value)
        if context.get("is_stored"):
            return Plugin.model_validate(value)
        offers: Mapping[str, Offer] = context["offers"]
        if kind in offers:
            return offers[kind].complete({"kind": kind} if isinstance(value, str) else value)
        offered = f"workers offer {', '.join(offers)}" if offers else "no worker offers another"
        message = f"there is no kind {kind[:100]!r}; there are {', '.join(KNOWN_KINDS)}; {offered}"
        error = PydanticCustomError("unknown_kind", "{message}", {"message": message})
        place = () if isinstance(value, str) else ("kind",)
        raise ValidationError.from_exception_data("kind", [InitErrorDetails(type=error, loc=place, input=kind)])

    @staticmethod
    def write(value: Any, write: Any, info: SerializationInfo) -> Any:
        """Write the entry of an offered kind, which is no member of the union of the built-in kinds."""
        if isinstance(value, Plugin):
            return value.model_dump(mode=info.mode, by_alias=bool(info.by_alias))
        return write(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Wrap validation and serialization of the built-in kinds."""
        return core_schema.with_info_wrap_validator_function(
            self.parse,
            handler(source),
            serialization=core_schema.wrap_serializer_function_ser_schema(self.write, info_arg=True),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the forms of an entry as without offers; `BareKind` adds those of offered kinds."""
        return handler(schema)


def offered_kinds(spec: Mapping[str, Any]) -> str:
    """Name the kinds of a stored spec that workers offer, sorted, with commas."""
    return ",".join(sorted({entry["kind"] for entry in spec["optimizers"]} - {*KNOWN_KINDS}))


def is_foreign(body: Any) -> bool:
    """Whether the body of a job has a kind that is not built in. ``body`` is any JSON value."""
    entries = body.get("optimizers") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        return False
    kinds = (entry.get("kind") if isinstance(entry, dict) else entry for entry in entries)
    return any(isinstance(kind, str) and kind not in KNOWN_KINDS for kind in kinds)
