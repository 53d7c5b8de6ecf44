"""Groups of runs with one update formula.

Runs of one kind whose formula has the same terms, and whose learning rate and momentum follow the same schedules, form
a group: one call of the optimizer updates all of them. A term that torch leaves out of its formula where the
hyper-parameter is zero (weight decay, dampening) is left out here too, so that a run computes the same whether or not
a neighbour uses the term.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.engine.optimizers import OPTIMIZERS
from worker.engine.optimizers.formula import Formula, formula
from worker.engine.protocols import Optimizer
from worker.engine.stack.schedule import Schedule
from worker.engine.updates.gradient import CLIPPING
from worker.engine.updates.plugin import Plugin, plugin

# Of the learning rate, and of the momentum.
Schedules = tuple[Schedule, Schedule]
# An update rule or an installed class, of a kind that is not in the registry.
Foreign = Formula | Plugin
# Kind, formula, terms and schedules: what the runs of a group have in common.
_Key = tuple[str, Foreign | None, frozenset[str], Schedules]


@dataclass(frozen=True, eq=False)
class Group:
    """Runs (their indices in the plan) of one optimizer with the same terms; hyper-parameters [R], one per run."""

    kind: str
    runs: NDArray[np.int64]
    hyper_parameters: Mapping[str, NDArray[np.float64]]
    terms: frozenset[str] = frozenset()
    schedules: Schedules = (Schedule(), Schedule())
    formula: Foreign | None = None

    @property
    def optimizer(self) -> Optimizer:
        """The kind of the registry, or the optimizer of the formula or class."""
        return _optimizer(self.kind, self.formula)


@dataclass(frozen=True, eq=False)
class OptimizerRuns:
    """Runs of one kind that differ in numbers only: a hyper-parameter is one number for all of them, or one each [R].

    All hyper-parameters and flags of the kind must be given; clipping is off unless it is given. A `formula` is the
    rule of the kind "formula", or the installed class of its kind.
    """

    kind: str
    runs: NDArray[np.int64]
    hyper_parameters: Mapping[str, float | bool | NDArray[np.float64]]
    schedules: Schedules = (Schedule(), Schedule())
    formula: Foreign | None = None

    @property
    def optimizer(self) -> Optimizer:
        """The kind of the registry, or the optimizer of the formula or class."""
        return _optimizer(self.kind, self.formula)


def _optimizer(kind: str, foreign: Foreign | None) -> Optimizer:
    if foreign is None:
        return OPTIMIZERS[kind]
    return formula(foreign) if isinstance(foreign, Formula) else plugin(foreign)


def group_runs(all_runs: Sequence[OptimizerRuns]) -> tuple[Group, ...]:
    """Groups the runs of a plan by their update formula, in order of first appearance."""
    pieces: dict[_Key, list[OptimizerRuns]] = {}
    for given in all_runs:
        optimizer = given.optimizer
        if optimizer.momentum is None and not given.schedules[1].constant:
            raise ValueError(f"{given.kind} has no momentum for a schedule to change.")
        columns, fixed = _columns(given), _fixed_terms(given)
        # The switches that are on for each run, as the bits of a number.
        bits_R = np.zeros(len(given.runs), dtype=np.int64)
        for bit, name in enumerate(optimizer.switches):
            bits_R |= (columns[name] != 0).astype(np.int64) << bit
        for bits in dict.fromkeys(bits_R.tolist()):
            chosen_R = bits_R == bits
            on = {name for bit, name in enumerate(optimizer.switches) if bits >> bit & 1}
            piece = {name: column[chosen_R] for name, column in columns.items()}
            members = pieces.setdefault((given.kind, given.formula, fixed | on, given.schedules), [])
            members.append(OptimizerRuns(given.kind, given.runs[chosen_R], piece))
    return tuple(_group(key, members) for key, members in pieces.items())


def _group(key: _Key, members: Sequence[OptimizerRuns]) -> Group:
    """One group of several pieces, its runs in the order of the plan."""
    kind, rule, terms, schedules = key
    runs = np.concatenate([member.runs for member in members])
    order = np.argsort(runs, kind="stable")
    hyper_parameters = {
        name: np.concatenate([np.asarray(member.hyper_parameters[name]) for member in members])[order]
        for name in members[0].hyper_parameters
    }
    return Group(kind, runs[order], hyper_parameters, terms, schedules, rule)


def _columns(given: OptimizerRuns) -> dict[str, NDArray[np.float64]]:
    """Every numeric hyper-parameter, and the clipping that is given, as a column [R]."""
    optimizer = given.optimizer
    needed = {*optimizer.hyper_parameters, *optimizer.flags}
    if unknown := given.hyper_parameters.keys() - needed - {*CLIPPING}:
        raise ValueError(f"{given.kind} has no hyper-parameter {sorted(unknown)}; it has {sorted(needed)}.")
    if missing := needed - given.hyper_parameters.keys():
        raise ValueError(f"{given.kind} needs a value for {sorted(missing)}.")
    names = (*optimizer.hyper_parameters, *(name for name in CLIPPING if name in given.hyper_parameters))
    shape = len(given.runs)
    return {name: np.broadcast_to(np.asarray(given.hyper_parameters[name], np.float64), shape) for name in names}


def _fixed_terms(given: OptimizerRuns) -> frozenset[str]:
    """The terms of all these runs: flags that are on, and the clipping that is given."""
    flags = (flag for flag in given.optimizer.flags if given.hyper_parameters[flag])
    return frozenset((*flags, *(name for name in CLIPPING if name in given.hyper_parameters)))
