"""Runs of an entry whose kind is an installed class, by whether one optimizer steps all of a setting."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from service.spec.plugin import Plugin as Entry
from worker.engine.updates.plugin import Plugin
from worker.plugins.installed import Installed, Kinds


class MissingKind(Exception):
    """A job has a kind that is not installed in this process, or whose class has other hyper-parameters."""


def plugin_runs(
    kinds: Kinds, entry: Entry, columns: Mapping[str, NDArray[np.float64]]
) -> Iterator[tuple[NDArray[np.bool_], Plugin]]:
    """Divide the runs of an entry: which runs [R], and their class for the engine.

    Whether a class treats every number alone is tried for each set of flags and zeros that are not its defaults, so it
    does not depend on the division of a job into shards.

    Args:
        kinds: The installed classes of this process.
        entry: The entry.
        columns: Its numeric hyper-parameters, [R] each.

    Raises:
        MissingKind: There is no such class, or it has other hyper-parameters.
    """
    known = _find(kinds, entry)
    flags = {name for name, value in entry.flags().items() if _is_flag_toggled(known, name, value)}
    zeros = {
        one.name: (columns[one.name] == 0) != (one.default == 0)
        for one in known.offer.hyper_parameters
        if one.type != "flag"
    }
    bits_R = np.zeros(len(columns["lr"]), dtype=np.int64)
    for bit, toggled_R in enumerate(zeros.values()):
        bits_R |= toggled_R.astype(np.int64) << bit
    for bits in np.unique(bits_R).tolist():
        toggled = {name for bit, name in enumerate(zeros) if bits >> bit & 1}
        yield bits_R == bits, known.plugin(flags | toggled, run_by_run=entry.run_by_run)


def _find(kinds: Kinds, entry: Entry) -> Installed:
    if entry.kind not in kinds:
        raise MissingKind(f"the kind {entry.kind} is not installed here: RAVINE_OPTIMIZERS names it")
    known = kinds[entry.kind]
    ours = {one.name for one in known.offer.hyper_parameters} | {"lr", "maximize"}
    theirs = entry.grids().keys() | entry.flags().keys()
    if ours != theirs:
        raise MissingKind(
            f"the class of {entry.kind} in {known.offer.package} has other hyper-parameters than the job: "
            f"{', '.join(sorted(ours ^ theirs))}"
        )
    return known


def _is_flag_toggled(known: Installed, name: str, value: bool) -> bool:
    return any(one.name == name and one.default != value for one in known.offer.hyper_parameters)
