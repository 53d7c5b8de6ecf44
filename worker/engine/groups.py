"""Which runs share one update formula, and what are their settings?

Runs of one kind whose formula has the same terms, and whose rate and momentum follow the same course, form a group:
one call of the optimizer updates all of them. A term that a setting of zero leaves out of torch's formula (weight
decay, dampening) is left out here as well, so that a run computes the same whether or not a neighbour uses the term.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.engine.course import Course
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.optimizers.gradient import CLIPPING

# Of the learning rate, and of the momentum.
Courses = tuple[Course, Course]


@dataclass(frozen=True, eq=False)
class Group:
    """Runs (their indices in the plan) of one optimizer with the same terms; each setting is one number per run."""

    kind: str
    runs: NDArray[np.int64]
    settings: Mapping[str, NDArray[np.float64]]
    terms: frozenset[str] = frozenset()
    courses: Courses = (Course(), Course())


def group_runs(
    optimizers: Sequence[tuple[str, Mapping[str, float | bool]]],
    optimizer_of_run: Sequence[int] | NDArray[np.integer],
    courses: Sequence[Courses] | None = None,
) -> tuple[Group, ...]:
    """Groups the runs of a plan by what their formula looks like, in order of first appearance.

    `optimizers` lists resolved settings as (kind, {name: value}); run r uses `optimizers[optimizer_of_run[r]]`, and
    `courses` has the schedules of each, where there are any.
    """
    of_run = np.asarray(optimizer_of_run, dtype=np.int64)
    courses = courses or [(Course(), Course())] * len(optimizers)
    members: dict[tuple[str, frozenset[str], Courses], list[int]] = {}
    complete = [_complete(kind, settings) for kind, settings in optimizers]
    for index, (kind, settings) in enumerate(optimizers):
        if OPTIMIZERS[kind].momentum is None and not courses[index][1].constant:
            raise ValueError(f"{kind} has no momentum that a schedule could change.")
        members.setdefault((kind, _terms(kind, settings, complete[index]), courses[index]), []).append(index)
    groups = []
    for (kind, terms, of_group), indices in members.items():
        runs = np.flatnonzero(np.isin(of_run, indices))
        if len(runs):
            rows = [complete[index] for index in of_run[runs]]
            names = (*OPTIMIZERS[kind].settings, *(name for name in CLIPPING if name in terms))
            settings_of = {name: np.array([row[name] for row in rows]) for name in names}
            groups.append(Group(kind, runs, settings_of, terms, of_group))
    return tuple(groups)


def _complete(kind: str, settings: Mapping[str, float | bool]) -> dict[str, float]:
    optimizer = OPTIMIZERS[kind]
    unknown = settings.keys() - {*optimizer.settings, *optimizer.flags, *CLIPPING}
    if unknown:
        raise ValueError(f"{kind} has no setting {sorted(unknown)}; it has {[*optimizer.settings, *optimizer.flags]}.")
    values = {name: float(settings.get(name, default)) for name, default in optimizer.settings.items()}
    missing = [name for name, value in values.items() if math.isnan(value)]
    if missing:
        raise ValueError(f"{kind} needs a number for {missing}.")
    return values | {name: float(settings[name]) for name in CLIPPING if name in settings}


def _terms(kind: str, settings: Mapping[str, float | bool], values: Mapping[str, float]) -> frozenset[str]:
    optimizer = OPTIMIZERS[kind]
    flags = (flag for flag in optimizer.flags if settings.get(flag, flag in optimizer.flags_on))
    clipping = (name for name in CLIPPING if name in values)
    return frozenset((*flags, *clipping)) | {name for name in optimizer.switches if values[name] != 0}
