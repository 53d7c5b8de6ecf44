"""Routes of the catalogue: all problems, optimizers and schedules with their parameters.

What is built in is constant while a process runs. Each list takes about 0.2 s to compute, and is computed once.
"""

from functools import cache, lru_cache
from typing import Any, get_args

from fastapi import Request, Response
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from service.api.http.conditional import answer_with_tag, tag_of
from service.api.http.json_answers import JSON, answer, json_bytes
from service.api.routes.dependencies import Documented, TheDatabase, guarded
from service.api.routes.foreign_kinds import offered_entry
from service.api.routes.theory import TheoryQuery
from service.api.schemas.catalogue import FormulaProgram, OptimizerList, ProblemList, ScheduleList, SurfaceFormulaAnswer
from service.api.turns.routes import TurnRoute, in_turn
from service.api.turns.work import Kind
from service.jobs import offers
from service.spec import criteria
from service.spec.as_formula import as_formula, program
from service.spec.fields import Strict
from service.spec.formulas.expression import parse, parse_letters
from service.spec.formulas.tokens import ExpressionError
from service.spec.learning_rates import learning_rates
from service.spec.offers import Offer
from service.spec.optimizers import OPTIMIZERS
from service.spec.optimizers.formula import Formula
from service.spec.problems import PROBLEMS
from service.spec.schedules import SCHEDULES
from service.spec.spaces import default_space
from service.spec.surfaces import SURFACES

router = guarded("/v1", "catalogue", TurnRoute)


class SurfaceFormula(Strict):
    """A formula of a surface as its writer has it."""

    expression: str = Field(description="The formula in x and y, and in other letters.")

    @field_validator("expression")
    @classmethod
    def _readable(cls, text: str) -> str:
        try:
            parse_letters(text)
        except ExpressionError as error:
            raise PydanticCustomError("formula", "{reason}", {"reason": str(error)}) from error
        return text


# The shortest spec of each problem that needs more than its kind.
_EXAMPLES: dict[str, dict[str, Any]] = {
    "surface": {"expression": "x", "start": [0.0]},
    "quadratic": {"eigenvalues": [1.0]},
    "data": {"dataset": "iris"},
}
UNCHANGED: Documented = {304: {"description": "The list has not changed since this ETag."}}


@router.get("/problems", operation_id="list_problems", responses={200: {"model": ProblemList}, **UNCHANGED})
def problems(request: Request) -> Response:
    """List the kinds of problem, and the named surfaces with domain, minima and default start."""
    return answer_with_tag(request, *_problems(), JSON)


@cache
def _problems() -> tuple[bytes, str]:
    kinds = [
        {
            **_entry(kind),
            "is_landscape": kind.is_landscape,
            "has_test_data": kind.has_test_data,
            "has_decision": kind.has_decision,
            "default_epochs": kind.default_epochs,
            "default_batch_size": _default_batch_size(kind),
            **_criteria(kind),
        }
        for kind in PROBLEMS
    ]
    surfaces = [
        {
            "name": surface.name,
            "title": surface.title,
            "formula": surface.formula,
            "program": parse(surface.formula).graph.as_json(),
            "domain": surface.domain,
            "minima": [{"position": position, "value": surface.value} for position in surface.minima],
            "start": surface.start,
            "scale": "linear" if surface.least_loss is None else "log",
            "description": surface.sentence,
            "reference": surface.reference,
        }
        for surface in SURFACES.values()
    ]
    for kind in kinds:
        if kind["kind"] == "surface":
            kind["surfaces"] = surfaces
    return _list(kinds)


@router.get("/optimizers", operation_id="list_optimizers", responses={200: {"model": OptimizerList}, **UNCHANGED})
def optimizers(request: Request, database: TheDatabase) -> Response:
    """List the optimizers, with those that live workers offer from installed classes."""
    with database.snapshot() as session:
        offered = tuple(offer.model_dump_json() for offer in offers.live(session).values())
    return answer_with_tag(request, *_with_offers(offered), JSON)


@lru_cache(maxsize=4)
def _with_offers(offered: tuple[str, ...]) -> tuple[bytes, str]:
    return _list([*_optimizers(), *(offered_entry(Offer.model_validate_json(one)) for one in offered)])


@cache
def _optimizers() -> list[dict[str, Any]]:
    with_theory = get_args(TheoryQuery.model_fields["optimizer"].annotation)
    items = []
    for kind in OPTIMIZERS:
        entry = _entry(kind)
        own = as_formula(kind)
        extra = {
            "short_name": kind.short_name,
            "state_per_parameter": kind.state_per_parameter,
            "learning_rates": learning_rates(entry["kind"]),
            "default_space": {
                name: interval.model_dump(by_alias=True) for name, interval in default_space(entry["kind"]).items()
            },
            "has_theory": entry["kind"] in with_theory,
            "as_formula": own,
            "program": program(own) if own else None,
            "offered": None,
        }
        items.append({**entry, **extra})
    return items


@router.post("/problems/formula", operation_id="get_formula", responses={200: {"model": SurfaceFormulaAnswer}})
@in_turn(Kind.PIECE)
def surface_formula(query: SurfaceFormula) -> Response:
    """Read the formula of a surface: its normal form, its letters and its MathML; nothing is stored or trained."""
    formula, mathml = parse_letters(query.expression)
    return answer(
        {
            "expression": formula.text,
            "dimension": formula.dimension,
            "letters": formula.letters,
            "mathml": mathml,
        }
    )


@router.post("/optimizers/formula", operation_id="get_program", responses={200: {"model": FormulaProgram}})
@in_turn(Kind.PIECE)
def formula_program(entry: Formula) -> Response:
    """Get the program of an update rule, for programs that execute it without parsing; nothing is stored or trained."""
    return answer({"update": entry.update, "program": entry.rule.graph.as_json()})


@router.get("/schedules", operation_id="list_schedules", responses={200: {"model": ScheduleList}, **UNCHANGED})
def schedules(request: Request) -> Response:
    """List the schedules, for the learning rate and for the momentum."""
    return answer_with_tag(request, *_schedules(), JSON)


@cache
def _schedules() -> tuple[bytes, str]:
    return _list([_entry(kind) for kind in SCHEDULES])


def _default_batch_size(kind: Any) -> int | None:
    """Give the batch size of a job that gives none; None of a landscape, or where the data decide."""
    size = getattr(kind, "default_batch_size", None)
    return size if isinstance(size, int) and not kind.is_landscape else None


def _criteria(kind: Any) -> dict[str, Any]:
    """List the criteria of a kind of problem; the scale of a landscape's losses depends on the landscape, thus null."""
    name = kind.model_fields["kind"].annotation.__args__[0]
    problem = kind.model_validate({"kind": name, **_EXAMPLES.get(name, {})})
    scales = {criterion: criteria.scale_of(problem, criterion) for criterion in criteria.available(problem)}
    depends = [criterion for criterion in scales if kind.is_landscape and criterion != "epochs_to_target"]
    return {
        "criteria": [
            {"name": criterion, "scale": None if criterion in depends else scale} for criterion, scale in scales.items()
        ],
        "default_criterion": criteria.default_criterion(problem),
        "targets": criteria.targets(problem),
    }


def _list(items: list[dict[str, Any]]) -> tuple[bytes, str]:
    """Serialize a list of one page, and give its entity tag."""
    body = json_bytes({"items": items, "next": None})
    return body, tag_of(body)


def _entry(kind: Any) -> dict[str, Any]:
    """Describe a kind; its parameters are a JSON Schema with ranges, defaults and descriptions."""
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
