"""Expansion of ``{"preset": "ravine-large-lr", "epochs": 500}`` to the spec of a job."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from service.spec.job import JobSpec
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


# The body of POST /v1/jobs: a spec, or a preset with the fields that replace its own.
PostedJob = Annotated[JobSpec, BeforeValidator(with_preset, json_schema_input_type=JobSpec | PresetJob)]
