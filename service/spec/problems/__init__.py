"""All problems of the catalogue. The file of the same name in worker/engine/problems/ computes a kind."""

from typing import Annotated, get_args

from pydantic import Field

from service.spec.problems.data import Data
from service.spec.problems.digits import Digits
from service.spec.problems.flipnet import FlipNet
from service.spec.problems.playground import Playground
from service.spec.problems.quadratic import Quadratic
from service.spec.problems.surface import Surface

Problem = Annotated[FlipNet | Surface | Quadratic | Digits | Playground | Data, Field(discriminator="kind")]
# Problems without data, whose parameters are the coordinates of a point.
LandscapeProblem = Surface | Quadratic
__all__ = [
    "PROBLEMS",
    "PROBLEM_KINDS",
    "Data",
    "Digits",
    "FlipNet",
    "LandscapeProblem",
    "Playground",
    "Problem",
    "Quadratic",
    "Surface",
]

PROBLEMS: tuple[type[FlipNet] | type[Surface] | type[Quadratic] | type[Digits] | type[Playground] | type[Data], ...] = (
    get_args(get_args(Problem)[0])
)
PROBLEM_KINDS: tuple[str, ...] = tuple(get_args(one.model_fields["kind"].annotation)[0] for one in PROBLEMS)
