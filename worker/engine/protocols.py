"""What a problem and an optimizer offer to the trainer.

Names carry shapes. The legend, for the whole engine:
    D  parameters              R  columns of a stack: runs, and the repetitions that pad each group
    B  examples in a batch     T  consecutive updates        F  recorded fields        M  known minima
    S  distinct seeds          K  rows whose mean is a loss
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.numerics.settings import Columns, Floats

BatchSize = int | Literal["full"]
State = dict[str, Tensor]
# By name: a hyper-parameter [1, R] or [T, R] in float64; and what a formula needs at one update, each [R].
HyperParameters = Mapping[str, Tensor]
Coefficients = Mapping[str, Tensor]
Shapes = tuple[tuple[int, ...], ...]
# Called many times a second during training. An exception ends the training there; True makes the trainer yield after
# the current micro-batch. A checkpoint may be taken after either.
Poll = Callable[[], bool]


def never_pause() -> bool:
    """The default poll: the trainer yields at the end of each epoch only."""
    return False


@dataclass(frozen=True, eq=False, slots=True)
class Shift:
    """A landscape moves once by a vector, after `at` updates: a minimum at w is then at w + by."""

    at: int
    by_D: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The full objective at one set of weights; the score is that of the problem, an accuracy or R²."""

    loss_R: Tensor
    gradient_DR: Tensor
    score_R: Tensor | None = None


class Objective(Protocol):
    """A problem laid out for the columns of one stack, on one device and in one dtype."""

    @property
    def start_DR(self) -> Tensor: ...

    def evaluate(self, weights_DR: Tensor) -> Evaluation:
        """Loss, gradient and score over all training data."""
        ...

    def loss(self, weights_DR: Tensor) -> Tensor:
        """The loss of evaluate alone, bit for bit, without the cost of a gradient."""
        ...

    def batch(self, weights_DR: Tensor, step: int, known: Evaluation | None) -> tuple[Tensor, Tensor]:
        """Loss [K, R] and gradient [D, R] on micro-batch number `step`, counted from 0 over all epochs.

        The loss is the mean of K rows, the same K for every batch, so that a sum over batches takes the mean once.

        `known` is the evaluation at exactly these weights where the trainer has it; a full batch then computes nothing
        twice.
        """
        ...

    def sharpness(self, weights_DR: Tensor) -> Tensor:
        """The largest algebraic eigenvalue [R] of the Hessian of the full objective."""
        ...

    def noise_trace(self, weights_DR: Tensor, gradient_DR: Tensor) -> Tensor:
        """tr Σ [R]: the summed variances of one example's gradient, given the full gradient (stack/measures.py)."""
        ...


class Problem(Protocol):
    """What is minimised, for all runs of a plan in their own order."""

    @property
    def num_runs(self) -> int: ...

    @property
    def seeds(self) -> NDArray[np.int64]:
        """The seed of each run."""
        ...

    @property
    def num_parameters(self) -> int: ...

    @property
    def shapes(self) -> Shapes:
        """The tensors that the parameters form, one after another: W1 [3, 4], b1 [3], …; a point is one vector."""
        ...

    @property
    def score(self) -> str | None:
        """The score of an evaluation: accuracy, r2, or None."""
        ...

    @property
    def has_test(self) -> bool:
        """Whether its objectives are TestedObjectives (stack/objectives.py)."""
        ...

    @property
    def has_validation(self) -> bool: ...

    @property
    def columns_multiple(self) -> int:
        """Each group of runs is padded to a multiple of this, so that every column is computed alike (stack/layout.py).

        1 where each run is a row in memory: all rows then end alike.
        """
        ...

    @property
    def has_position(self) -> bool:
        """Whether the parameters are recorded: points of a line or a plane."""
        ...

    @property
    def whole(self) -> bool:
        """Whether every batch is the full batch, so that an evaluation also serves the next update."""
        ...

    @property
    def minima_MD(self) -> NDArray[np.float64]:
        """The known global minima, possibly none (M = 0)."""
        ...

    @property
    def shift(self) -> Shift | None:
        """The move of a landscape, or None."""
        ...

    def num_batches(self, accumulate: int) -> int:
        """Micro-batches per epoch; `accumulate` where an epoch is one update, as on a problem without data."""
        ...

    def variance_share(self, accumulate: int) -> float:
        """The variance of an update's gradient, as a share of the variance of one example's (stack/measures.py)."""
        ...

    def objective(self, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> Objective:
        """The problem for a stack whose column c stands for run `source_R[c]`."""
        ...


class Stepper(Protocol):
    """Objects that update the columns of a part: for methods that are not two pure functions."""

    def update(self, weights_DR: Tensor, gradient_DR: Tensor, rate_R: Floats, momentum_R: Floats | None) -> Tensor:
        """The weights after an update with these learning rates, and momenta where a schedule changes them."""
        ...

    def save(self) -> Tensor:
        """All state as bytes, which `load` restores."""
        ...

    def load(self, saved: Tensor) -> None: ...


@dataclass(frozen=True)
class Optimizer:
    """An optimization method as two pure functions, and the names of what they work on.

    Description, formula, reference, ranges and defaults are in the file of the same name in service/spec/optimizers/.
    """

    kind: str
    # Derives from hyper-parameters in float64 what the formula needs, for consecutive updates t = 1, 2, … given as a
    # column [T, 1]. What depends on t or on a schedule is returned as [T, R], the rest as [1, R].
    coefficients: Callable[[Tensor, HyperParameters, frozenset[str]], dict[str, Tensor]]
    # (weights [D, R], gradient [D, R], state, coefficients [R] each in the weights' dtype, terms) → (weights, state); a
    # method that works tensor by tensor takes their shapes as one more argument.
    update: Callable[..., tuple[Tensor, State]]
    # Names of all numeric hyper-parameters.
    hyper_parameters: tuple[str, ...]
    # Hyper-parameters whose term is left out of the formula where they are zero, as torch.optim does.
    switches: tuple[str, ...] = ()
    # Terms that are on or off for all runs of a group.
    flags: tuple[str, ...] = ("maximize",)
    # The matrices kept between updates, and the ones that only some terms need.
    state: tuple[str, ...] = ()
    state_of_term: Mapping[str, str] = field(default_factory=dict)
    # The number of rows of a matrix of state, where it is not the number of parameters.
    state_sizes: Mapping[str, Callable[[Shapes], int]] = field(default_factory=dict)
    # State of one number per run: [1, R].
    run_state: tuple[str, ...] = ()
    # State starts at zero, at this number, at the value of this hyper-parameter, or at the weights.
    state_from: Mapping[str, str | float] = field(default_factory=dict)
    # The hyper-parameters that a schedule of the learning rate multiplies.
    rates: tuple[str, ...] = ("lr",)
    # The hyper-parameter that the field `momentum` records and a momentum schedule multiplies, if there is one.
    momentum: str | None = None
    by_tensor: bool = False
    needs_matrices: bool = False
    # Whether coefficients have a matrix `normal` [D, R] of standard normal numbers.
    is_random: bool = False
    # (weights, state, coefficients of the first update) → the point that is the method's result, where gradients are
    # taken at another one.
    evaluation_point: Callable[[Tensor, State, Coefficients], Tensor] | None = None
    # (columns, terms, shapes, weights [D, R]) → the objects that update a part, in place of the two functions.
    stepper: Callable[[Columns, frozenset[str], Shapes, Tensor], Stepper] | None = None

    def for_shapes(self, shapes: Shapes) -> Callable[..., tuple[Tensor, State]]:
        """`update` for parameters that form tensors of these shapes, in their order."""
        return partial(self.update, shapes=shapes) if self.by_tensor else self.update

    def state_names(self, terms: frozenset[str]) -> tuple[str, ...]:
        """Names of all state of a group with these terms."""
        return self.state + tuple(name for term, name in self.state_of_term.items() if term in terms) + self.run_state

    def state_size(self, name: str, shapes: Shapes) -> int:
        """The number of rows of the state of that name."""
        if name in self.run_state:
            return 1
        return self.state_sizes[name](shapes) if name in self.state_sizes else sum(map(math.prod, shapes))

    def state_per_parameter(self, terms: frozenset[str] = frozenset()) -> int:
        """Numbers of state for each parameter, at most."""
        return len(self.state_names(terms)) - len(self.run_state)
