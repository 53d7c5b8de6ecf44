"""Expansion of ``{"preset": "ravine-large-lr", "epochs": 500}`` to the spec of a job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from service.spec.job import JobSpec
from service.spec.offered_kinds import is_foreign
from service.spec.offers import Offer
from service.spec.presets import PRESETS


class PresetJob(BaseModel):
    """A preset by its name; other top-level fields of a spec replace those of the preset."""

    model_config = ConfigDict(extra="allow")

    preset: str = Field(description="Name of a preset, as GET /v1/presets lists them.", examples=["ravine-large-lr"])


def with_preset(body: Any) -> Any:
    """Return the body, completed with the fields of the preset that it names.

    Raises:
        ValidationError: At ``preset``: no preset has this name.
    """
    if not isinstance(body, dict) or "preset" not in body:
        return body
    name = body["preset"]
    preset = PRESETS.get(name) if isinstance(name, str) else None
    if preset is None:
        unknown = PydanticCustomError(
            "unknown_preset",
            "no preset has the name {name}; the presets are {known}",
            {"name": repr(name), "known": ", ".join(PRESETS)},
        )
        details = InitErrorDetails(type=unknown, loc=("preset",), input=name)
        raise ValidationError.from_exception_data("preset", [details])
    own = {field: value for field, value in body.items() if field != "preset"}
    return {"name": preset.title, **preset.spec, **own}


@dataclass(frozen=True)
class UnsettledJob:
    """The body of a job with kinds of optimizer that are not built in: what workers offer decides."""

    body: dict[str, Any]

    def spec(self, offers: Mapping[str, Offer]) -> JobSpec:
        """Validate the body.

        Raises:
            ValidationError: It is not a spec, or no worker offers a kind.
        """
        return JobSpec.model_validate(self.body, context={"offers": offers})


def _posted(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    body = with_preset(value)
    return UnsettledJob(body) if is_foreign(body) else validate(body)


# The body of POST /v1/jobs: a spec, or a preset with the fields that replace its own. It may become an UnsettledJob.
PostedJob = Annotated[JobSpec, WrapValidator(_posted, json_schema_input_type=JobSpec | PresetJob)]
