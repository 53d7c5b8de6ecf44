"""Which problems are there? One entry per kind."""

from worker.engine.problems.flipnet import FlipNet
from worker.engine.problems.quadratic import Quadratic
from worker.engine.problems.surface import Surface

PROBLEMS: dict[str, type[FlipNet] | type[Surface] | type[Quadratic]] = {
    "flipnet": FlipNet,
    "surface": Surface,
    "quadratic": Quadratic,
}
