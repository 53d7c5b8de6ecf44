"""Route of theory: limits and best settings of an optimizer on a problem, without training."""

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from service.analysis.stability import LINEAR_KINDS, PRECONDITIONED_KINDS
from service.api.http.json_answers import answer
from service.api.schemas.lessons import TheoryAnswer
from service.findings.curvature import is_quadratic
from service.findings.theory import TheoryPoint, nearest_point, problem_theory, setting_theory
from service.spec.fields import Strict
from service.spec.problems import LandscapeProblem, Problem

router = APIRouter(prefix="/v1", tags=["theory"])

if TYPE_CHECKING:  # A type checker cannot read a Literal from tuples.
    TheoryKind = str
else:
    TheoryKind = Literal[*LINEAR_KINDS, *PRECONDITIONED_KINDS]


class TheoryQuery(Strict):
    """A problem, and a setting of an optimizer. On a surface, the start determines the minimum."""

    problem: Problem = Field(description="The problem to train on.")
    optimizer: TheoryKind = Field("momentum", description="The kind of optimizer.")
    lr: float = Field(0.01, gt=0, description="Learning rate; the limit does not depend on it.")
    momentum: float | None = Field(
        None, ge=0, lt=1, description="β (beta1 for Adam); by default 0.9, and 0 for the kind sgd."
    )
    dampening: float = Field(0.0, ge=0, le=1, description="Dampening of the kinds sgd and momentum.")
    nu: float = Field(0.7, ge=0, le=1, description="ν of the kind quasi_hyperbolic.")
    weight_decay: float = Field(0.0, ge=0, description="Coupled weight decay; it is added to every curvature.")


@router.post("/theory", operation_id="ask_theory", responses={200: {"model": TheoryAnswer}})
def ask(query: TheoryQuery) -> Response:
    """Compute the limits and the best settings of an optimizer on a problem; nothing is stored or trained."""
    beta = query.momentum if query.momentum is not None else 0.0 if query.optimizer == "sgd" else 0.9
    optimizer = {
        "kind": query.optimizer,
        "lr": query.lr,
        "momentum": beta,
        "beta1": beta,
        "dampening": query.dampening,
        "nu": query.nu,
        "weight_decay": query.weight_decay,
    }
    problem = query.problem
    if not isinstance(problem, LandscapeProblem):
        point, exact, noise = TheoryPoint(None, None), False, 0.0
    else:
        point = nearest_point(problem, problem.first_point.tolist())
        exact, noise = is_quadratic(problem), problem.noise
    setting = setting_theory(optimizer, point.eigenvalues, noise=noise)
    return answer({"exact": exact, "problem": problem_theory(point), "setting": setting})
