"""Optimizers from installed classes of torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer as TorchOptimizer

from worker.engine.numerics.settings import Columns
from worker.engine.protocols import Optimizer, Shapes, Stepper
from worker.engine.updates.steppers import Apart, Together

Class = Callable[..., TorchOptimizer]
# Names of hyper-parameters of which a momentum schedule multiplies the first that a class has.
MOMENTA = ("momentum", "beta1")


@dataclass(frozen=True)
class Argument:
    """Where a hyper-parameter stands in the call of a constructor: an argument, or a place of one that is a tuple."""

    name: str
    argument: str
    place: int | None = None
    is_whole: bool = False
    is_flag: bool = False


@dataclass(frozen=True)
class Plugin:
    """An installed class as a kind, with its hyper-parameters besides lr.

    With `run_by_run` each run has an optimizer of its own.
    """

    kind: str
    make: Class
    arguments: tuple[Argument, ...]
    run_by_run: bool = False

    @property
    def momentum(self) -> str | None:
        """The hyper-parameter that is the momentum."""
        names = [one.name for one in self.arguments]
        return next((name for name in MOMENTA if name in names), None)

    def optimizer(self, parameters: list[Parameter], values: Mapping[str, float | bool]) -> TorchOptimizer:
        """Call the constructor."""
        named: dict[str, Any] = {"lr": float(values["lr"])}
        for one in self.arguments:
            value: Any = values[one.name]
            value = bool(value) if one.is_flag else int(value) if one.is_whole else float(value)
            named[one.argument] = value if one.place is None else (*named.get(one.argument, ()), value)
        return self.make(parameters, **named)


def plugin(given: Plugin) -> Optimizer:
    """The optimizer of an installed class."""
    numbers = tuple(one.name for one in given.arguments if not one.is_flag)
    return Optimizer(
        kind=given.kind,
        coefficients=_no_coefficients,
        update=_no_function,
        hyper_parameters=("lr", *numbers),
        flags=("maximize", *(one.name for one in given.arguments if one.is_flag)),
        momentum=given.momentum,
        stepper=partial(_stepper, given),
    )


def _stepper(given: Plugin, columns: Columns, terms: frozenset[str], shapes: Shapes, like_DR: Tensor) -> Stepper:
    flags = {one.name: one.name in terms for one in given.arguments if one.is_flag}

    def make(parameters: list[Parameter], values: Mapping[str, float]) -> TorchOptimizer:
        return given.optimizer(parameters, {**values, **flags})

    kind = Apart if given.run_by_run else Together
    return kind(make, columns, shapes, like_DR, given.momentum)


def _no_coefficients(*_: Any) -> dict[str, Tensor]:
    return {}


def _no_function(*_: Any) -> Any:
    raise NotImplementedError("an installed class has a stepper instead of a function")
