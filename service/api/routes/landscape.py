"""A map of a surface over HTTP: its loss over a part of the plane, and its gradient at points."""

from typing import Annotated, Self

import numpy as np
from fastapi import APIRouter, Response
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from service.api.routes.answers import answer
from service.api.schemas.lessons import LandscapeAnswer
from service.findings.contours import Floats, gradient_at, loss_at
from service.findings.curvature import minimum_near
from service.spec.fields import Strict
from service.spec.problems import Quadratic, Surface
from service.spec.surfaces import SURFACES

router = APIRouter(prefix="/v1", tags=["theory"])

# 90,000 numbers, as many as a screen has use for: two megabytes of JSON.
MAX_SAMPLES = 300
# The positions of 50 runs of 500 epochs, with their starts.
MAX_POINTS = 26_000


class Side(Strict):
    """One side of a map: ``num`` values from ``from`` to ``to`` by even steps."""

    from_: float = Field(alias="from", description="First value.")
    to: float = Field(description="Last value.")
    num: int = Field(ge=2, le=MAX_SAMPLES, description="How many values.")

    def values(self) -> Floats:
        """Give the values."""
        return np.linspace(self.from_, self.to, self.num)


class LandscapeQuery(Strict):
    """A surface or a quadratic of at most two dimensions, and what to know of it."""

    problem: Annotated[Surface | Quadratic, Field(discriminator="kind", description="Whose loss.")]
    x: Side | None = Field(None, description="The map's side along x; by default none is drawn.")
    y: Side | None = Field(None, description="The map's side along y, where there is such a variable.")
    points: list[list[float]] = Field(
        [], max_length=MAX_POINTS, description="Where to give the gradient, such as the positions of a run."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        dimension = self.problem.dimension
        if dimension > 2:
            raise PydanticCustomError("dimension", "a map has at most two dimensions; this problem has more")
        if self.x is not None and (self.y is not None) != (dimension == 2):
            raise PydanticCustomError("sides", "give a side for each variable of the problem: x, or x and y")
        if any(len(point) != dimension for point in self.points):
            raise PydanticCustomError("points", "each point needs as many coordinates as the problem has variables")
        return self


@router.post("/landscape", operation_id="draw_landscape", responses={200: {"model": LandscapeAnswer}})
def draw(query: LandscapeQuery) -> Response:
    """Give the loss over a part of the plane, the minima, and gradients at points; nothing is stored, nothing runs."""
    problem = query.problem
    sides = [side.values() for side in (query.x, query.y) if side is not None]
    points = np.array(query.points, dtype=np.float64).reshape(len(query.points), problem.dimension)
    # y is the outer axis: values[row][column] is the loss at y[row], x[column].
    loss = loss_at(problem, *np.meshgrid(*sides)) if sides else None
    return answer(
        {
            "dimension": problem.dimension,
            "formula": problem.landscape.text if isinstance(problem, Surface) else None,
            "x": sides[0].tolist() if sides else None,
            "y": sides[1].tolist() if len(sides) == 2 else None,
            "loss": loss.tolist() if loss is not None else None,
            "minima": _minima(problem),
            "gradients": np.stack(gradient_at(problem, *points.T), axis=-1).tolist() if len(points) else [],
        }
    )


def _minima(problem: Surface | Quadratic) -> list[dict[str, object]]:
    """List the minima of the catalogue; for a formula the one that descent from its start leads to."""
    if isinstance(problem, Surface) and problem.name:
        value = SURFACES[problem.name].value
        return [{"position": list(one), "value": value} for one in problem.minima]
    found = minimum_near(problem, problem.points[0].tolist())
    return [{"position": found[0], "value": found[1]}] if found else []
