"""Route of landscapes: the loss on a grid of points, the minima, and gradients at given points."""

from typing import Annotated, Self

import numpy as np
from fastapi import Response
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from service.api.http.json_answers import answer
from service.api.routes.dependencies import guarded
from service.api.schemas.lessons import LandscapeAnswer
from service.api.turns.routes import TurnRoute, in_turn
from service.api.turns.work import Kind
from service.findings.contours import Floats, gradient_at, loss_at
from service.findings.minimum import minimum_near
from service.spec.fields import Several, Strict
from service.spec.problems import LandscapeProblem, Surface
from service.spec.surfaces import SURFACES

router = guarded("/v1", "theory", TurnRoute)

# Values along one axis: at most 90,000 numbers, or 2 MB of JSON.
MAX_SAMPLES = 300
# Points of a request: positions of 50 runs of 500 epochs, with their starts.
MAX_POINTS = 26_000


class Side(Strict):
    """One axis of a map: ``num`` evenly spaced values from ``from`` to ``to``."""

    from_: float = Field(alias="from", description="First value.")
    to: float = Field(description="Last value.")
    num: int = Field(ge=2, le=MAX_SAMPLES, description="Number of values.")

    def values(self) -> Floats:
        """Give the values."""
        return np.linspace(self.from_, self.to, self.num)


class LandscapeQuery(Strict):
    """A surface or quadratic of at most two dimensions, the axes of a map, and points."""

    problem: Annotated[LandscapeProblem, Field(discriminator="kind", description="The surface or quadratic.")]
    x: Side | None = Field(None, description="Axis x of the map; by default no map is computed.")
    y: Side | None = Field(None, description="Axis y of the map, if the problem has two dimensions.")
    points: Several[Several[float]] = Field(
        [],
        max_length=MAX_POINTS,
        description="Points at which to compute the gradient, such as positions of a run.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        dimension = self.problem.dimension
        if dimension > 2:
            raise PydanticCustomError("dimension", "a map has at most two dimensions; this problem has more")
        sides = (self.x is not None, self.y is not None)
        if any(sides) and sides != (True, dimension == 2):
            raise PydanticCustomError("sides", "give one axis per variable of the problem: x, or x and y")
        if any(len(point) != dimension for point in self.points):
            raise PydanticCustomError("points", "each point needs as many coordinates as the problem has variables")
        return self


@router.post("/landscape", operation_id="draw_landscape", responses={200: {"model": LandscapeAnswer}})
@in_turn(Kind.PIECE)
def draw(query: LandscapeQuery) -> Response:
    """Compute the loss on a map, the minima, and gradients at points; nothing is stored or trained."""
    problem = query.problem
    formula, mathml = problem.with_letters if isinstance(problem, Surface) else (None, None)
    sides = [side.values() for side in (query.x, query.y) if side is not None]
    points = np.array(query.points, dtype=np.float64).reshape(len(query.points), problem.dimension)
    # y is the outer axis: values[row][column] is the loss at y[row], x[column].
    loss = loss_at(problem, *np.meshgrid(*sides)) if sides else None
    return answer(
        {
            "dimension": problem.dimension,
            "formula": formula.text if formula else None,
            "mathml": mathml,
            "program": formula.graph.as_json() if formula else None,
            "x": sides[0].tolist() if sides else None,
            "y": sides[1].tolist() if len(sides) == 2 else None,
            "loss": loss.tolist() if loss is not None else None,
            "minima": _minima(problem),
            "gradients": np.stack(gradient_at(problem, *points.T), axis=-1).tolist() if len(points) else [],
        }
    )


def _minima(problem: LandscapeProblem) -> list[dict[str, object]]:
    """List the known minima; for a formula the minimum that descent from its start reaches."""
    if isinstance(problem, Surface) and problem.name:
        value = SURFACES[problem.name].value
        return [{"position": list(one), "value": value} for one in problem.minima]
    found = minimum_near(problem, problem.first_point.tolist())
    return [{"position": found[0], "value": found[1]}] if found else []
