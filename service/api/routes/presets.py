"""Routes of presets: experiments that can be posted by name."""

from typing import Any

from fastapi import Response

from service.api.http.json_answers import answer
from service.api.routes.dependencies import Documented, guarded
from service.api.schemas.answers import Page, Problem
from service.api.schemas.lessons import PresetAnswer, PresetItem
from service.api.turns.routes import TurnRoute
from service.errors import NotFound
from service.spec.presets import PRESETS, Preset

router = guarded("/v1/presets", "catalogue", TurnRoute)
NOT_FOUND: Documented = {404: {"model": Problem, "description": "There is no such preset."}}


@router.get("", operation_id="list_presets", responses={200: {"model": Page[PresetItem]}})
def list_presets() -> Response:
    """List the experiments that POST /v1/jobs accepts by name: `{"preset": "ravine-large-lr", "epochs": 500}`."""
    return answer({"items": [PresetItem(**_item(preset)) for preset in PRESETS.values()], "next": None})


@router.get("/{name}", operation_id="get_preset", responses={200: {"model": PresetAnswer}, **NOT_FOUND})
def get_preset(name: str) -> Response:
    """Get a preset with its spec."""
    if name not in PRESETS:
        raise NotFound(f"there is no preset {name!r}; there are {', '.join(PRESETS)}")
    return answer(preset_answer(PRESETS[name]))


def preset_answer(preset: Preset) -> PresetAnswer:
    """Give a preset with its spec."""
    return PresetAnswer(**_item(preset), spec={"name": preset.title, **preset.spec})


def _item(preset: Preset) -> dict[str, Any]:
    kind = preset.spec["problem"]["kind"]
    return {"name": preset.name, "title": preset.title, "sentence": preset.sentence, "problem": kind}
