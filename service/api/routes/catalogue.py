"""What may be asked for: every problem, optimizer and schedule with its parameters.

The answers stay the same while a process runs; making one takes a fifth of a second, so each is made once.
"""

from functools import cache
from typing import Any, get_args

from fastapi import APIRouter, Request, Response

from service.api.routes.answers import Documented, answer_unless_known, tagged
from service.api.routes.theory import TheoryQuery
from service.api.schemas.catalogue import OptimizerList, ProblemList, ScheduleList
from service.spec.learning_rates import learning_rates
from service.spec.optimizers import OPTIMIZERS
from service.spec.problems import PROBLEMS
from service.spec.schedules import SCHEDULES
from service.spec.surfaces import SURFACES

router = APIRouter(prefix="/v1", tags=["catalogue"])
KNOWN: Documented = {304: {"description": "Nothing has changed since this ETag."}}


@router.get("/problems", operation_id="list_problems", responses={200: {"model": ProblemList}, **KNOWN})
def problems(request: Request) -> Response:
    """List the kinds of problem, and the named surfaces with domain, minima and typical start."""
    return answer_unless_known(request, *_problems())


@cache
def _problems() -> tuple[bytes, str]:
    shown = [
        {
            **_shown(kind),
            "is_landscape": kind.is_landscape,
            "has_test_data": kind.has_test_data,
            "has_decision": kind.has_decision,
        }
        for kind in PROBLEMS
    ]
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
    return tagged({"items": shown, "next": None})


@router.get("/optimizers", operation_id="list_optimizers", responses={200: {"model": OptimizerList}, **KNOWN})
def optimizers(request: Request) -> Response:
    """List the optimizers."""
    return answer_unless_known(request, *_optimizers())


@cache
def _optimizers() -> tuple[bytes, str]:
    with_theory = get_args(TheoryQuery.model_fields["optimizer"].annotation)
    items = []
    for kind in OPTIMIZERS:
        shown = _shown(kind)
        extra = {
            "state_per_parameter": kind.state_per_parameter,
            "learning_rates": learning_rates(shown["kind"]),
            "has_theory": shown["kind"] in with_theory,
        }
        items.append({**shown, **extra})
    return tagged({"items": items, "next": None})


@router.get("/schedules", operation_id="list_schedules", responses={200: {"model": ScheduleList}, **KNOWN})
def schedules(request: Request) -> Response:
    """List the schedules, for the learning rate and for the momentum."""
    return answer_unless_known(request, *_schedules())


@cache
def _schedules() -> tuple[bytes, str]:
    return tagged({"items": [_shown(kind) for kind in SCHEDULES], "next": None})


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
