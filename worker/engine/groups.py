"""Which runs share one update formula, and what are their settings?

Runs of one kind whose formula has the same terms form a group: one call of the optimizer updates all of them. A term
that a setting of zero leaves out of torch's formula (weight decay, dampening) is left out here as well, so that a run
computes the same whether or not a neighbour uses the term.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from worker.engine.optimizers import OPTIMIZERS


@dataclass(frozen=True, eq=False)
class Group:
    """Runs (their indices in the plan) of one optimizer with the same terms; each setting is one number per run."""

    kind: str
    runs: NDArray[np.int64]
    settings: Mapping[str, NDArray[np.float64]]
    terms: frozenset[str] = frozenset()
    schedule: str = "constant"
    momentum_schedule: str = "constant"
    schedule_settings: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


def group_runs(
    optimizers: Sequence[tuple[str, Mapping[str, float | bool]]], optimizer_of_run: Sequence[int] | NDArray[np.integer]
) -> tuple[Group, ...]:
    """Groups the runs of a plan by what their formula looks like, in order of first appearance.

    `optimizers` lists resolved settings as (kind, {name: value}); run r uses `optimizers[optimizer_of_run[r]]`.
    """
    of_run = np.asarray(optimizer_of_run, dtype=np.int64)
    members: dict[tuple[str, frozenset[str]], list[int]] = {}
    complete = [_complete(kind, settings) for kind, settings in optimizers]
    for index, (kind, settings) in enumerate(optimizers):
        members.setdefault((kind, _terms(kind, settings, complete[index])), []).append(index)
    groups = []
    for (kind, terms), indices in members.items():
        runs = np.flatnonzero(np.isin(of_run, indices))
        if len(runs):
            rows = [complete[index] for index in of_run[runs]]
            settings_of = {name: np.array([row[name] for row in rows]) for name in OPTIMIZERS[kind].settings}
            groups.append(Group(kind, runs, settings_of, terms))
    return tuple(groups)


def _complete(kind: str, settings: Mapping[str, float | bool]) -> dict[str, float]:
    optimizer = OPTIMIZERS[kind]
    unknown = settings.keys() - optimizer.settings.keys() - set(optimizer.flags)
    if unknown:
        raise ValueError(f"{kind} has no setting {sorted(unknown)}; it has {[*optimizer.settings, *optimizer.flags]}.")
    values = {name: float(settings.get(name, default)) for name, default in optimizer.settings.items()}
    missing = [name for name, value in values.items() if math.isnan(value)]
    if missing:
        raise ValueError(f"{kind} needs a number for {missing}.")
    return values


def _terms(kind: str, settings: Mapping[str, float | bool], values: Mapping[str, float]) -> frozenset[str]:
    optimizer = OPTIMIZERS[kind]
    flags = (flag for flag in optimizer.flags if settings.get(flag, False))
    return frozenset(flags) | {name for name in optimizer.switches if values[name] != 0}
