"""Evidence for lessons from given curves, as a job would have recorded it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from service.findings.lessons.evidence import Evidence

# Label and learning rate of a setting.
Setting = tuple[str, float]


def job(curves: Mapping[Setting, Mapping[str, ArrayLike]], epochs: Sequence[int], spec: Any = None) -> Evidence:
    """A job whose settings have the given fields [N, E] for the seeds 0 to N − 1."""
    runs, histories = [], []
    for (label, lr), fields in curves.items():
        tables = {name: np.atleast_2d(np.asarray(table, dtype=np.float64)) for name, table in fields.items()}
        for seed in range(len(next(iter(tables.values())))):
            entry = {"lr": lr, "momentum": 0.9}
            runs.append({"label": f"{label} lr={lr:g}", "optimizer": entry, "seed": seed, "status": "completed"})
            histories.append({"epoch": list(epochs), **{name: table[seed].tolist() for name, table in tables.items()}})
    return Evidence(spec or {}, runs, histories)


def arrivals(times: Mapping[Setting, ArrayLike], last: int = 100) -> Evidence:
    """A job whose losses fall from 1 to 0 at given epochs, one for each seed; an infinite one is never reached."""
    epochs = np.arange(last + 1)
    return job(
        {setting: {"loss": (epochs < np.atleast_1d(of)[:, None]).astype(float)} for setting, of in times.items()},
        epochs.tolist(),
    )


def ends(final: Mapping[Setting, Mapping[str, ArrayLike]], start: Mapping[str, float], spec: Any = None) -> Evidence:
    """A job that recorded the first and the last epoch only."""
    return job(
        {
            setting: {name: [[start[name], value] for value in np.atleast_1d(of)] for name, of in fields.items()}
            for setting, fields in final.items()
        },
        (0, 20),
        spec,
    )
