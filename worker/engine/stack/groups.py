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

from worker.engine.optimizers import OPTIMIZERS
from worker.engine.stack.schedule import Course
from worker.engine.updates.gradient import CLIPPING

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


@dataclass(frozen=True, eq=False)
class Entry:
    """Runs of one kind that differ in numbers only: a setting is one number for all of them, or one for each [R]."""

    kind: str
    runs: NDArray[np.int64]
    settings: Mapping[str, float | bool | NDArray[np.float64]]
    courses: Courses = (Course(), Course())


def group_entries(entries: Sequence[Entry]) -> tuple[Group, ...]:
    """Groups the runs of a plan by what their formula looks like, in order of first appearance."""
    pieces: dict[tuple[str, frozenset[str], Courses], list[Entry]] = {}
    for entry in entries:
        optimizer = OPTIMIZERS[entry.kind]
        if optimizer.momentum is None and not entry.courses[1].constant:
            raise ValueError(f"{entry.kind} has no momentum that a schedule could change.")
        columns, fixed = _complete(entry), _fixed_terms(entry)
        # Which of the switches each run has on, as the bits of a number.
        bits_R = np.zeros(len(entry.runs), dtype=np.int64)
        for bit, name in enumerate(optimizer.switches):
            bits_R |= (columns[name] != 0).astype(np.int64) << bit
        for bits in dict.fromkeys(bits_R.tolist()):
            chosen_R = bits_R == bits
            on = {name for bit, name in enumerate(optimizer.switches) if bits >> bit & 1}
            piece = {name: column[chosen_R] for name, column in columns.items()}
            members = pieces.setdefault((entry.kind, fixed | on, entry.courses), [])
            members.append(Entry(entry.kind, entry.runs[chosen_R], piece))
    return tuple(_group(kind, terms, courses, members) for (kind, terms, courses), members in pieces.items())


def group_runs(
    optimizers: Sequence[tuple[str, Mapping[str, float | bool]]],
    optimizer_of_run: Sequence[int] | NDArray[np.integer],
    courses: Sequence[Courses] | None = None,
) -> tuple[Group, ...]:
    """Groups runs that are given one by one: run r uses `optimizers[optimizer_of_run[r]]`, a (kind, settings).

    `courses` has the schedules of each optimizer, where there are any.
    """
    of_run = np.asarray(optimizer_of_run, dtype=np.int64)
    courses = courses or [(Course(), Course())] * len(optimizers)
    given = zip(optimizers, courses, strict=True)
    entries = [
        Entry(kind, np.flatnonzero(of_run == index), settings, of_optimizer)
        for index, ((kind, settings), of_optimizer) in enumerate(given)
    ]
    return group_entries([entry for entry in entries if len(entry.runs)])


def _group(kind: str, terms: frozenset[str], courses: Courses, members: Sequence[Entry]) -> Group:
    """One group of several pieces, its runs in the order of the plan."""
    runs = np.concatenate([member.runs for member in members])
    order = np.argsort(runs, kind="stable")
    settings = {
        name: np.concatenate([np.asarray(member.settings[name]) for member in members])[order]
        for name in members[0].settings
    }
    return Group(kind, runs[order], settings, terms, courses)


def _complete(entry: Entry) -> dict[str, NDArray[np.float64]]:
    """Every numeric setting as a column [R], with torch's defaults where none is given."""
    optimizer = OPTIMIZERS[entry.kind]
    unknown = entry.settings.keys() - {*optimizer.settings, *optimizer.flags, *CLIPPING}
    if unknown:
        known = [*optimizer.settings, *optimizer.flags]
        raise ValueError(f"{entry.kind} has no setting {sorted(unknown)}; it has {known}.")
    values = {name: entry.settings.get(name, default) for name, default in optimizer.settings.items()}
    missing = [name for name, value in values.items() if isinstance(value, float) and math.isnan(value)]
    if missing:
        raise ValueError(f"{entry.kind} needs a number for {missing}.")
    values |= {name: entry.settings[name] for name in CLIPPING if name in entry.settings}
    shape = len(entry.runs)
    return {name: np.broadcast_to(np.asarray(value, dtype=np.float64), shape) for name, value in values.items()}


def _fixed_terms(entry: Entry) -> frozenset[str]:
    """The terms that all runs of an entry have: its flags, and the clipping that is given."""
    optimizer = OPTIMIZERS[entry.kind]
    flags = (flag for flag in optimizer.flags if entry.settings.get(flag, flag in optimizer.flags_on))
    return frozenset((*flags, *(name for name in CLIPPING if name in entry.settings)))
