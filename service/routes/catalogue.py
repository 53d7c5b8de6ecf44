"""What may be asked for: every problem, optimizer and schedule with its parameters."""

from typing import Any

from fastapi import APIRouter, Response

from service.routes.answers import answer
from service.schemas_catalogue import OptimizerList, ProblemList, ScheduleList
from service.spec.optimizers import OPTIMIZERS
from service.spec.problems import PROBLEMS
from service.spec.schedules import SCHEDULES
from service.spec.surfaces import SURFACES

router = APIRouter(prefix="/v1", tags=["catalogue"])


@router.get("/problems", operation_id="list_problems", responses={200: {"model": ProblemList}})
def problems() -> Response:
    """List the kinds of problem, and the named surfaces with domain, minima and typical start."""
    shown = [_shown(kind) for kind in PROBLEMS]
    surfaces = [
        {
            "name": surface.name,
            "title": surface.title,
            "formula": surface.formula,
            "domain": surface.domain,
            "minima": [{"position": position, "value": surface.value} for position in surface.minima],
            "start": surface.start,
            "description": surface.sentence,
            "reference": surface.reference,
        }
        for surface in SURFACES.values()
    ]
    for kind in shown:
        if kind["kind"] == "surface":
            kind["surfaces"] = surfaces
    return answer({"items": shown, "next": None})


@router.get("/optimizers", operation_id="list_optimizers", responses={200: {"model": OptimizerList}})
def optimizers() -> Response:
    """List the optimizers."""
    items = [{**_shown(kind), "state_per_parameter": kind.state_per_parameter} for kind in OPTIMIZERS]
    return answer({"items": items, "next": None})


@router.get("/schedules", operation_id="list_schedules", responses={200: {"model": ScheduleList}})
def schedules() -> Response:
    """List the schedules, for the learning rate and for the momentum."""
    return answer({"items": [_shown(kind) for kind in SCHEDULES], "next": None})


def _shown(kind: Any) -> dict[str, Any]:
    """Show one member of the catalogue; its parameters are a JSON Schema with ranges, defaults and a sentence each."""
    schema = kind.model_json_schema()
    fixed = schema["properties"].pop("kind")
    schema["required"] = [name for name in schema.get("required", []) if name != "kind"]
    return {
        "kind": fixed["const"],
        "title": kind.title,
        "description": schema.pop("description"),
        "formula": kind.formula,
        "reference": kind.reference,
        "parameters": schema,
    }
