"""Fields of a history, and the runs and epochs at which each field is measured."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.engine.protocols import Problem
from worker.engine.stack.groups import Group
from worker.engine.stack.measures import has_velocity

# Measured from epoch 1 on.
AFTER_TRAINING = ("train_loss", "update_norm", "alpha")


def fields_of(problem: Problem, groups: Sequence[Group], measure: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of all fields, in the order of the values of an epoch."""
    has_momentum = any(group.optimizer.momentum is not None for group in groups)
    return (
        "loss",
        "train_loss",
        *(("validation_loss",) if problem.has_validation else ()),
        *(("test_loss",) if problem.has_test else ()),
        *((problem.score,) if problem.score else ()),
        *((f"test_{problem.score}",) if problem.has_test else ()),
        "grad_norm",
        "update_norm",
        "distance_from_start",
        *(("distance_to_minimum",) if len(problem.minima_MD) else ()),
        "lr",
        *(("momentum",) if has_momentum else ()),
        *(("x", "y")[: problem.num_parameters] if problem.has_position else ()),
        *measure,
    )


def measured(
    fields: Sequence[str], groups: Sequence[Group], num_runs: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The values [F, runs] that exist at epoch 0, and those that exist at every later epoch."""
    later_FR = np.ones((len(fields), num_runs), dtype=bool)
    for group in groups:
        if "momentum" in fields and group.optimizer.momentum is None:
            later_FR[fields.index("momentum"), group.runs] = False
        if "velocity_norm" in fields and not has_velocity(group):
            later_FR[fields.index("velocity_norm"), group.runs] = False
    first_FR = later_FR.copy()
    first_FR[[fields.index(name) for name in AFTER_TRAINING if name in fields]] = False
    later_FR.flags.writeable = first_FR.flags.writeable = False
    return first_FR, later_FR
