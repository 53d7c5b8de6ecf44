"""How does ``{"preset": "ravine-large-lr", "epochs": 500}`` become a job's spec?"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from service.spec.job import JobSpec
from service.spec.presets import PRESETS


class PresetJob(BaseModel):
    """A preset by its name; any other top-level field of a spec that is given takes the place of the preset's."""

    model_config = ConfigDict(extra="allow")

    preset: str = Field(description="Name of a preset, as GET /v1/presets lists them.", examples=["ravine-large-lr"])


def with_preset(body: Any) -> Any:
    """Give the body with the fields of the preset that it names, if it names one.

    Raises:
        ValidationError: At ``preset``: there is none of this name.
    """
    if not isinstance(body, dict) or "preset" not in body:
        return body
    name = body["preset"]
    preset = PRESETS.get(name) if isinstance(name, str) else None
    if preset is None:
        unknown = PydanticCustomError(
            "unknown_preset",
            "no preset is called {name}; there are {known}",
            {"name": repr(name), "known": ", ".join(PRESETS)},
        )
        details = InitErrorDetails(type=unknown, loc=("preset",), input=name)
        raise ValidationError.from_exception_data("preset", [details])
    own = {field: value for field, value in body.items() if field != "preset"}
    return {"name": preset.title, **preset.spec, **own}


# What POST /v1/jobs takes: a spec, or a preset and what is to be different.
PostedJob = Annotated[JobSpec, BeforeValidator(with_preset, json_schema_input_type=JobSpec | PresetJob)]
