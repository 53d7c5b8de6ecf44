"""What must a problem and an optimizer offer, so that the trainer needs to know neither?

Names carry shapes. The legend, for the whole engine:
    D  parameters              R  columns of a stack: runs, and the repetitions that pad each group
    B  examples in a batch     T  consecutive updates        F  recorded fields        M  known minima
    S  distinct seeds          K  rows whose mean is a loss
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BatchSize = int | Literal["full"]
State = dict[str, Tensor]
Rows = Mapping[str, Tensor]
Shapes = tuple[tuple[int, ...], ...]
# Asked many times a second while something is trained. What it raises ends the training there; True asks for a turn
# after the micro-batch at hand. Either way a checkpoint may be taken then.
Look = Callable[[], bool]


def never() -> bool:
    """The look of whoever waits until an epoch is over."""
    return False


@dataclass(frozen=True, eq=False, slots=True)
class Shift:
    """A landscape moves once, by a vector, as soon as `at` updates are made: its minima then are at w + by."""

    at: int
    by_D: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The full objective at one set of weights."""

    loss_R: Tensor
    gradient_DR: Tensor
    accuracy_R: Tensor | None = None


class Objective(Protocol):
    """A problem laid out for the columns of one stack, on one device and in one dtype."""

    @property
    def start_DR(self) -> Tensor: ...

    def evaluate(self, weights_DR: Tensor) -> Evaluation:
        """Loss, gradient and accuracy over all training data."""
        ...

    def loss(self, weights_DR: Tensor) -> Tensor:
        """The loss of evaluate alone, bit for bit, without the cost of a gradient."""
        ...

    def batch(self, weights_DR: Tensor, step: int, known: Evaluation | None) -> tuple[Tensor, Tensor]:
        """Loss [K, R] and gradient [D, R] on micro-batch number `step`, counted from 0 over all epochs.

        The loss is the mean of K rows, the same K for every batch: who adds up many takes the mean of the rows once.

        `known` is the evaluation at exactly these weights where the trainer has it: a problem whose batch is all of its
        data need not compute anything twice.
        """
        ...

    def sharpness(self, weights_DR: Tensor) -> Tensor:
        """The largest algebraic eigenvalue [R] of the Hessian of the full objective."""
        ...

    def noise_trace(self, weights_DR: Tensor, gradient_DR: Tensor) -> Tensor:
        """tr Σ [R]: the summed variances of one example's gradient, where the full gradient is known (measures.py)."""
        ...


@runtime_checkable
class Tested(Protocol):
    """An objective with examples that it is not trained on."""

    def test(self, weights_DR: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and accuracy [R] on them."""
        ...


@runtime_checkable
class Lengthy(Protocol):
    """An objective whose evaluation may take seconds: it looks many times on the way."""

    look: Look


@runtime_checkable
class Deciding(Protocol):
    """An objective whose networks decide something about every point of a plane."""

    def decision(self, weights_DR: Tensor) -> Tensor:
        """The probability of class 1 [R, y, x] on a grid."""
        ...


class Problem(Protocol):
    """What is minimised, for all runs of a plan in their own order."""

    @property
    def num_runs(self) -> int: ...

    @property
    def num_parameters(self) -> int: ...

    @property
    def shapes(self) -> Shapes:
        """The tensors that the parameters form, one after another: W1 [3, 4], b1 [3], …; a point is one vector."""
        ...

    @property
    def has_accuracy(self) -> bool: ...

    @property
    def has_test(self) -> bool:
        """Whether its objectives are Tested."""
        ...

    @property
    def columns_multiple(self) -> int:
        """Each group of runs is padded to a multiple of this, so that every column is computed alike (see layout.py).

        1 where runs stand one below the other in memory: what is at the end of a row is at the end of each.
        """
        ...

    @property
    def has_position(self) -> bool:
        """Whether the parameters themselves are worth a record: points of a line or a plane."""
        ...

    @property
    def whole(self) -> bool:
        """Whether every batch is all of the data, so that an evaluation serves the next update too."""
        ...

    @property
    def minima_MD(self) -> NDArray[np.float64]:
        """The known global minima, possibly none (M = 0)."""
        ...

    @property
    def shift(self) -> Shift | None:
        """The move of a landscape that moves."""
        ...

    def num_batches(self, accumulate: int) -> int:
        """Micro-batches per epoch; a problem without data has one epoch per update, so `accumulate` of them."""
        ...

    def variance_share(self, accumulate: int) -> float:
        """The variance of the gradient of an update, as a share of that of one example (measures.py)."""
        ...

    def objective(self, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> Objective:
        """The problem for a stack whose column c stands for run `source_R[c]`."""
        ...


# How a learning rate or a momentum changes over time: from steps numbered from 0, as a column [T, 1] in float64, and
# the schedule's own settings by name, to the factors [T, 1] that the setting is multiplied by.
Schedule = Callable[..., Tensor]


@dataclass(frozen=True)
class Optimizer:
    """An optimization method as two pure functions, and the names of what they work on."""

    kind: str
    # Derives from settings in float64 what the formula needs, for a block of updates t = 1, 2, … given as a column
    # [T, 1]. What depends on t or on a schedule comes back as [T, R], what does not as [1, R].
    rows: Callable[[Tensor, Rows, frozenset[str]], dict[str, Tensor]]
    # (weights [D, R], gradient [D, R], state, rows [R] each in the weights' dtype, terms) → (weights, state); a method
    # that works tensor by tensor takes their shapes as one more argument.
    update: Callable[..., tuple[Tensor, State]]
    # Every numeric setting with its default; NaN says that it is required.
    settings: Mapping[str, float]
    # Settings whose term is left out of the formula where they are zero, as torch.optim does.
    switches: tuple[str, ...] = ()
    # Terms that are on or off for all runs of a group, and those of them that are on unless they are turned off.
    flags: tuple[str, ...] = ()
    flags_on: tuple[str, ...] = ()
    # The matrices kept between updates, and the ones that only some terms need.
    state: tuple[str, ...] = ()
    state_of_term: Mapping[str, str] = field(default_factory=dict)
    # The rows that a matrix of state has, where they are not one for each parameter.
    state_rows: Mapping[str, Callable[[Shapes], int]] = field(default_factory=dict)
    # What is kept once for each run: rows [1, R].
    run_state: tuple[str, ...] = ()
    # State starts at zero, or at this number, or at the value of this setting, or at the weights.
    state_from: Mapping[str, str | float] = field(default_factory=dict)
    # The settings that a schedule of the learning rate multiplies.
    rates: tuple[str, ...] = ("lr",)
    # The setting that the field `momentum` records and a momentum schedule multiplies; None where there is none.
    momentum: str | None = None
    by_tensor: bool = False
    needs_matrices: bool = False
    # (weights, state, rows of the first update) → the point that the method answers with, where it takes its gradients
    # at another one.
    evaluation_point: Callable[[Tensor, State, Rows], Tensor] | None = None

    def for_shapes(self, shapes: Shapes) -> Callable[..., tuple[Tensor, State]]:
        """`update` for parameters that form tensors of these shapes, in their order."""
        return partial(self.update, shapes=shapes) if self.by_tensor else self.update

    def state_names(self, terms: frozenset[str]) -> tuple[str, ...]:
        """The matrices of state that a group with these terms keeps, and its rows."""
        return self.state + tuple(name for term, name in self.state_of_term.items() if term in terms) + self.run_state

    def num_rows(self, name: str, shapes: Shapes) -> int:
        """How many rows the state of that name has."""
        if name in self.run_state:
            return 1
        return self.state_rows[name](shapes) if name in self.state_rows else sum(map(math.prod, shapes))

    def state_per_parameter(self, terms: frozenset[str] = frozenset()) -> int:
        """How many numbers the method keeps for each parameter besides the parameter itself, at most."""
        return len(self.state_names(terms)) - len(self.run_state)
