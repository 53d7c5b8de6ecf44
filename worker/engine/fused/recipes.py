"""What a program depends on: equal recipes have equal programs, so that a second job like one before traces nothing."""

import dataclasses
from collections.abc import Collection, Hashable

import numpy as np

from worker.engine.stack.part import Part
from worker.engine.stack.stack import Stack

# Numbers of each run, which programs read from memory.
_OF_RUNS = ("starts", "seeds")

Recipe = tuple[Hashable, ...]


def recipe(stack: Stack, part: Part, widths: Collection[int]) -> Recipe | None:
    """The recipe of the program of a part; None where it cannot be said in short.

    The optimizer is named by its identity: a holder of a recipe must also hold `part.optimizer`.
    """
    problem = stack.problem
    if not dataclasses.is_dataclass(problem):
        return None
    found: list[Hashable] = [type(problem).__name__]
    for one in dataclasses.fields(problem):
        value = getattr(problem, one.name)
        if one.name in _OF_RUNS:
            continue
        if isinstance(value, str | int | float | None):
            found.append(value)
        elif isinstance(value, np.ndarray | list | tuple):
            array = np.asarray(value, dtype=np.float64)
            found.append((array.shape, array.tobytes()))
        elif isinstance(text := getattr(value, "text", None), str):
            found.append((text, value.variables, value.parameters))
        else:
            return None
    # Sums depend on whether rows fill registers, of which the widest, four of AVX-512, have 64 numbers.
    ends = tuple(sorted({width % 64 for width in widths}))
    kinds = part.hyper_parameters.kinds
    return (
        *found,
        id(part.optimizer),
        part.terms,
        kinds,
        str(stack.weights_DR.dtype),
        stack.accumulate,
        stack.extra,
        ends,
    )
