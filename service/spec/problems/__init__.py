"""Which problems may be trained on? One file per kind; a test holds the kinds equal to those of the engine."""

from typing import Annotated

from pydantic import Field

from service.spec.problems.digits import Digits
from service.spec.problems.flipnet import FlipNet
from service.spec.problems.quadratic import Quadratic
from service.spec.problems.surface import Surface

Problem = Annotated[FlipNet | Surface | Quadratic | Digits, Field(discriminator="kind")]
__all__ = ["PROBLEMS", "Digits", "FlipNet", "Problem", "Quadratic", "Surface"]

PROBLEMS: tuple[type[FlipNet] | type[Surface] | type[Quadratic] | type[Digits], ...] = (
    FlipNet,
    Surface,
    Quadratic,
    Digits,
)
