"""Reductions of update rules: functions of all numbers of a matrix, run by run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Reduction:
    """A function whose value is one number for each run, or one for each tensor of a run.

    `cost` is the time, in additions of two arrays of the size of the operand.
    """

    arguments: tuple[str, ...]
    over: Literal["run", "tensor"]
    meaning: str
    cost: float = 2


REDUCTIONS: Mapping[str, Reduction] = {
    "norm": Reduction(("a",), "run", "the Euclidean norm over all parameters of the run"),
    "mean": Reduction(("a",), "run", "the mean over all parameters of the run"),
    "dot": Reduction(("a", "b"), "run", "the sum of a*b over all parameters of the run"),
    # The value of a tensor is repeated for each of its parameters, which takes a pass over the matrix.
    "tensor_norm": Reduction(("a",), "tensor", "the Euclidean norm over the tensor that a parameter belongs to", 3),
    "tensor_mean": Reduction(("a",), "tensor", "the mean over the tensor that a parameter belongs to", 3),
}
