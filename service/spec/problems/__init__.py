"""All problems of the catalogue. The file of the same name in worker/engine/problems/ computes a kind."""

from typing import Annotated

from pydantic import Field

from service.spec.problems.digits import Digits
from service.spec.problems.flipnet import FlipNet
from service.spec.problems.playground import Playground
from service.spec.problems.quadratic import Quadratic
from service.spec.problems.surface import Surface

Problem = Annotated[FlipNet | Surface | Quadratic | Digits | Playground, Field(discriminator="kind")]
__all__ = ["PROBLEMS", "Digits", "FlipNet", "Playground", "Problem", "Quadratic", "Surface"]

PROBLEMS: tuple[type[FlipNet] | type[Surface] | type[Quadratic] | type[Digits] | type[Playground], ...] = (
    FlipNet,
    Surface,
    Quadratic,
    Digits,
    Playground,
)
