"""What is trained, and what an epoch gives."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from worker.engine.device import used_device
from worker.engine.protocols import Problem
from worker.engine.stack.groups import Group
from worker.engine.stack.measures import checked

DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True, eq=False)
class Plan:
    """A problem, the groups of its runs, and the number of epochs.

    `record_every` n keeps epochs 0, n, 2n, … and the last. `accumulate` k averages the gradients of k micro-batches for
    each update; the last update of an epoch averages the rest. `measure` names fields of stack/measures.py.
    """

    problem: Problem
    groups: tuple[Group, ...]
    epochs: int
    record_every: int = 1
    accumulate: int = 1
    dtype: str = "float64"
    device: str | torch.device = field(default_factory=used_device)
    measure: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sum(len(group.runs) for group in self.groups) != self.problem.num_runs:
            raise ValueError(f"groups must contain each of the problem's {self.problem.num_runs} runs once.")
        if not any(len(shape) == 2 for shape in self.problem.shapes):
            for kind in (group.kind for group in self.groups if group.optimizer.needs_matrices):
                raise ValueError(f"{kind} needs a problem with matrices of weights.")
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype must be one of {list(DTYPES)}, not {self.dtype!r}.")
        object.__setattr__(self, "measure", checked(self.measure))
        if self.epochs < 0 or self.record_every < 1 or self.accumulate < 1:
            raise ValueError("epochs must be at least 0, record_every and accumulate at least 1.")


@dataclass(frozen=True, slots=True)
class Epoch:
    """Results at the end of an epoch, in the order of the runs. Columns of runs that are not kept are NaN."""

    number: int
    diverged_R: NDArray[np.bool_]
    kept_R: NDArray[np.bool_] | None
    values_FR: NDArray[np.float64] | None
    measured_FR: NDArray[np.bool_]
