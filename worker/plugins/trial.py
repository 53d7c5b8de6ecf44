"""Trials of an installed class: whether it can be a kind, and whether it treats every number alone.

The class is stepped with drawn gradients, in float32 and float64, on the tensors of a network and on a vector. It is a
kind if its steps need the gradients only, draw no random numbers, follow the learning rate, continue from `state_dict`
with the same bits, and do not depend on other optimizers of the class. It is elementwise if one optimizer on the matrix
of all runs makes the steps that one optimizer for each run makes, and if a run has the same bits alone, among others,
and beside a run whose gradients are infinite.
"""

import math
import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from worker.engine.numerics.settings import Columns
from worker.engine.protocols import Shapes, Stepper
from worker.engine.updates.plugin import Plugin, plugin
from worker.engine.updates.steppers import StepError
from worker.plugins.signature import Unfit, apart

# A network with a matrix, a vector and filters, and a point of a landscape.
NETWORK: Shapes = ((3, 4), (3,), (2, 1, 2, 2))
CASES = ((NETWORK, torch.float64), (((2,),), torch.float32))
STEPS = 12
NUM_APART, NUM_TOGETHER = 2, 40
# Largest difference of displacements that is rounding, relative to the largest displacement.
ROUNDING = 1e-6
Values = Mapping[str, float | bool]


@dataclass(frozen=True)
class Walk:
    """Weights [D, R] and the gradients [D, R] of each step."""

    shapes: Shapes
    weights_DR: Tensor
    gradients: Sequence[Tensor]

    def of(self, columns: Sequence[int]) -> "Walk":
        """Some runs of the walk."""
        chosen = list(columns)
        return Walk(self.shapes, self.weights_DR[:, chosen], [gradient[:, chosen] for gradient in self.gradients])


def drawn(shapes: Shapes, num: int, dtype: torch.dtype) -> Walk:
    """A walk whose gradients have other sizes in each run and at each step, so that conditions on norms change."""
    generator = torch.Generator().manual_seed(0)
    size = sum(map(math.prod, shapes))

    def draw(rows: int) -> Tensor:
        return torch.randn(rows, num, dtype=torch.float64, generator=generator)

    return Walk(shapes, draw(size).to(dtype), [(draw(size) * 10 ** draw(1)).to(dtype) for _ in range(STEPS)])


def stepper(given: Plugin, values: Values, walk: Walk) -> Stepper:
    """The objects that step the runs of a walk, all with these hyper-parameters."""
    num = walk.weights_DR.shape[1]
    optimizer = plugin(given)
    numbers = {name: np.full(num, float(values[name])) for name in optimizer.hyper_parameters}
    terms = frozenset(name for name in optimizer.flags if values.get(name))
    assert optimizer.stepper is not None
    return optimizer.stepper(Columns(numbers, np.arange(num)), terms, walk.shapes, walk.weights_DR)


def walked(given: Plugin, values: Values, walk: Walk, *, cut: bool = False, factor: float = 1.0) -> Tensor:
    """The weights after all steps; with `cut`, by new objects that continue from saved state after half of them.

    Args:
        factor: What multiplies the learning rate from the second half on.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        objects, weights_DR = stepper(given, values, walk), walk.weights_DR
        rate_R = np.full(weights_DR.shape[1], float(values["lr"]))
        for number, gradient_DR in enumerate(walk.gradients):
            if number == STEPS // 2:
                rate_R = rate_R * factor
                if cut:
                    saved, objects = objects.save(), stepper(given, values, walk)
                    objects.load(saved)
            weights_DR = objects.update(weights_DR, gradient_DR, rate_R, None)
        return weights_DR


def check(given: Plugin, values: Values) -> None:
    """Check that a class can be a kind.

    Raises:
        Unfit: It cannot.
    """
    if callable(getattr(given.make, "eval", None)) and callable(getattr(given.make, "train", None)):
        raise Unfit("it takes gradients at another point than its result: it has the methods train and eval")
    given = apart(given)
    for shapes, dtype in CASES:
        _check(given, values, drawn(shapes, NUM_APART, dtype))


def _check(given: Plugin, values: Values, walk: Walk) -> None:
    where = "on a single vector" if len(walk.shapes) == 1 else "on the tensors of a network"
    before = _random_states()
    try:
        whole_DR = walked(given, values, walk)
    except StepError as error:
        raise Unfit(f"its step fails {where}: {_short(error)}") from error
    except Exception as error:
        raise Unfit(f"it cannot be made {where}: {type(error).__name__}: {_short(error)}") from error
    if _random_states() != before:
        raise Unfit("its steps draw random numbers")
    if not bool(torch.isfinite(whole_DR).all()):
        raise Unfit(f"its weights are not finite {where}")
    if _same(whole_DR, walk.weights_DR):
        raise Unfit(f"its steps change nothing {where}")
    alone, alone_DR = walk.of([1]), whole_DR[:, [1]]
    if not _resumes(given, values, alone, alone_DR):
        raise Unfit(_reason(given, values, walk, whole_DR))
    if _same(walked(given, values, alone, factor=0.5), alone_DR):
        raise Unfit("a change of its learning rate has no effect")


def _reason(given: Plugin, values: Values, walk: Walk, whole_DR: Tensor) -> str:
    """Say why the steps of one run alone, from saved state, are not those of all."""
    if not _same(walked(given, values, walk), whole_DR):
        return "the same steps are not the same again: its optimizers share state"
    if not _same(walked(given, values, walk.of([1])), whole_DR[:, [1]]):
        return "optimizers of the class depend on each other"
    return "its state_dict does not hold all of its state"


def works(given: Plugin, values: Values) -> bool:
    """Whether a class makes steps with these hyper-parameters, with an optimizer for each run."""
    try:
        return all(
            bool(walked(apart(given), values, drawn(shapes, 1, dtype)).isfinite().all()) for shapes, dtype in CASES
        )
    except Exception:
        return False


def is_elementwise(given: Plugin, values: Values) -> bool:
    """Whether one optimizer on the matrix of all runs makes the steps of one optimizer for each run."""
    try:
        return all(_is_elementwise(given, values, shapes, dtype) for shapes, dtype in CASES)
    except Exception:
        return False


def _is_elementwise(given: Plugin, values: Values, shapes: Shapes, dtype: torch.dtype) -> bool:
    walk = drawn(shapes, NUM_TOGETHER, dtype)
    together_DR = walked(given, values, walk)
    one = walk.of([NUM_TOGETHER - 1])
    if dtype == torch.float64:
        apart_DR = walked(apart(given), values, one) - one.weights_DR
        moved_DR = together_DR[:, -1:] - one.weights_DR
        if not bool(((moved_DR - apart_DR).abs() <= ROUNDING * apart_DR.abs().amax(0)).all()):
            return False
    sick = [gradient.clone() for gradient in walk.gradients]
    for gradient in sick[STEPS // 2 :]:
        gradient[:, 5] = math.inf
    beside_DR = walked(given, values, Walk(walk.shapes, walk.weights_DR, sick))
    others = [column for column in range(NUM_TOGETHER) if column != 5]
    return (
        _same(beside_DR[:, others], together_DR[:, others])
        and _same(walked(given, values, walk.of([0])), together_DR[:, :1])
        and _resumes(given, values, one, together_DR[:, -1:])
    )


def _resumes(given: Plugin, values: Values, walk: Walk, whole_DR: Tensor) -> bool:
    try:
        return _same(walked(given, values, walk, cut=True), whole_DR)
    except Exception:
        return False


def state_per_parameter(given: Plugin, values: Values) -> float:
    """Numbers of state for each parameter of a network, after some steps."""
    walk = drawn(NETWORK, 1, torch.float64)
    made: list[Optimizer] = []

    def make(*arguments: Any, **named: Any) -> Optimizer:
        made.append(given.make(*arguments, **named))
        return made[-1]

    walked(Plugin(given.kind, make, given.arguments, run_by_run=True), values, walk)
    numbers = sum(tensor.numel() for tensor in _tensors(made[0].state_dict()["state"]) if tensor.numel() > 1)
    return numbers / len(walk.weights_DR)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _tensors(inner)


def _random_states() -> tuple[bytes, str, str]:
    """Give the states of the generators that a class may draw from."""
    return torch.get_rng_state().numpy().tobytes(), str(np.random.get_state()), str(random.getstate())


def _same(one: Tensor, other: Tensor) -> bool:
    return one.contiguous().numpy().tobytes() == other.contiguous().numpy().tobytes()


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
