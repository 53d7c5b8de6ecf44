"""All problems, by kind."""

from worker.engine.problems.data import Data
from worker.engine.problems.flipnet import FlipNet
from worker.engine.problems.playground import Playground
from worker.engine.problems.quadratic import Quadratic
from worker.engine.problems.surface import Surface
from worker.engine.protocols import Problem

PROBLEMS: dict[str, type[Problem]] = {
    "flipnet": FlipNet,
    "surface": Surface,
    "quadratic": Quadratic,
    "data": Data,
    "playground": Playground,
}
