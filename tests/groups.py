"""Groups of runs from a list of optimizers, with the defaults of the catalogue."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from service.spec.optimizers import BUILT_IN
from worker.engine.stack import groups
from worker.engine.stack.groups import Group, OptimizerRuns, Schedules
from worker.engine.stack.schedule import Schedule

ENTRIES = {get_args(member.model_fields["kind"].annotation)[0]: member for member in BUILT_IN}


@cache
def defaults(kind: str) -> Mapping[str, float | bool]:
    """The default of every hyper-parameter and flag of a kind, except the learning rate, which is required."""
    entry: Any = ENTRIES[kind].model_validate({"kind": kind, "lr": 1.0})
    return {name: value for name, value in {**entry.grids(), **entry.flags()}.items() if name != "lr"}


def group_runs(
    optimizers: Sequence[tuple[str, Mapping[str, Any]]],
    optimizer_of_run: Sequence[int] | NDArray[np.integer],
    schedules: Sequence[Schedules] | None = None,
) -> tuple[Group, ...]:
    """Groups of runs: run r has `optimizers[optimizer_of_run[r]]`, a kind with the values that are not its defaults; a
    formula is the value `formula` of the kind formula.

    `schedules` are those of each optimizer, constant unless given.
    """
    of_run = np.asarray(optimizer_of_run, dtype=np.int64)
    schedules = schedules or [(Schedule(), Schedule())] * len(optimizers)
    given = zip(optimizers, schedules, strict=True)
    all_runs = []
    for index, ((kind, settings), of_optimizer) in enumerate(given):
        runs, values = np.flatnonzero(of_run == index), dict(settings)
        rule: Any = values.pop("formula", None)
        usual = {} if rule else defaults(kind)
        all_runs.append(OptimizerRuns(kind, runs, {**usual, **values}, of_optimizer, rule))
    return groups.group_runs([runs for runs in all_runs if len(runs.runs)])
