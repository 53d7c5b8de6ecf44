"""Route of theory: limits and best settings of an optimizer on a problem, without training."""

from typing import TYPE_CHECKING, Literal

from fastapi import Request, Response
from pydantic import Field

from service.analysis.stability import LINEAR_KINDS, PRECONDITIONED_KINDS
from service.api.http.json_answers import answer
from service.api.routes.dependencies import TheCaller, TheDatabase, guarded
from service.api.schemas.lessons import TheoryAnswer
from service.api.turns.routes import TurnRoute, in_turn
from service.api.turns.work import Kind
from service.database.connection import Database
from service.database.datasets import known_minima
from service.findings.curvature import Penalty, is_quadratic
from service.findings.theory_of_data import data_point
from service.findings.theory_parts import coupled_decay, problem_theory, setting_theory
from service.findings.theory_points import NOWHERE, TheoryPoint, nearest_point
from service.jobs.owners import Caller
from service.jobs.resolved_data import resolved
from service.spec.batch_size import BatchSize
from service.spec.datasets.decoded import DecodedTables
from service.spec.fields import Strict
from service.spec.problems import Data, LandscapeProblem, Problem

router = guarded("/v1", "theory", TurnRoute)

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
    weight_decay: float = Field(
        0.0,
        ge=0,
        description="Coupled weight decay of the linear kinds. It adds ½·weight_decay·‖w‖² to the loss, so it moves "
        "the minimum and adds to every curvature.",
    )
    batch_size: BatchSize = Field(1, description="Draws of the noise whose mean is in a gradient; full has no noise.")
    accumulate: int = Field(1, ge=1, description="Gradients whose mean makes one update.")


@router.post("/theory", operation_id="ask_theory", responses={200: {"model": TheoryAnswer}})
@in_turn(Kind.PIECE)
def ask(query: TheoryQuery, request: Request, caller: TheCaller, database: TheDatabase) -> Response:
    """Compute the limits and the best settings of an optimizer on a problem; nothing is stored or trained.

    Of a linear model on data the answer is what a worker has computed when it first trained one.
    """
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
    if isinstance(problem, Data):
        tables: DecodedTables = request.app.state.tables
        point = _on_data(problem, caller, database, tables, coupled_decay(optimizer))
        exact, noise = point.is_exact, 0.0
    elif not isinstance(problem, LandscapeProblem):
        point, exact, noise = NOWHERE, False, 0.0
    else:
        point = nearest_point(problem, problem.first_point.tolist(), Penalty(coupled_decay(optimizer)))
        exact, noise = is_quadratic(problem), problem.noise if query.batch_size != "full" else 0.0
    size = query.batch_size if isinstance(query.batch_size, int) else 1
    setting = setting_theory(optimizer, point, noise=noise, batch_size=size, accumulate=query.accumulate)
    return answer({"exact": exact, "problem": problem_theory(point), "setting": setting})


def _on_data(problem: Data, caller: Caller, database: Database, tables: DecodedTables, decay: float) -> TheoryPoint:
    found, _ = resolved(database, tables, caller.id, problem)
    complete = problem.model_copy(update={"resolved": found})
    with database.snapshot() as session:
        known = known_minima.find(session, complete)
    return data_point(complete, known, decay)
