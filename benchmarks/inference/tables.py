"""Tables of synthetic jobs, which the comparison judges like those that it reads from the database."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.findings.comparison.choice import Choice, choose
from service.findings.comparison.table import Table
from service.spec.job import JobSpec
from service.spec.runs import Runs

Floats = NDArray[np.float64]
EPOCHS = 30
UNTRAINED = 1.0
NUM_DRAWS = int(os.environ.get("RAVINE_DRAWS", "2000"))


def spec_of(labels: int, seeds: int) -> JobSpec:
    """Make a spec with some labels and seeds."""
    optimizers: list[dict[str, Any]] = [{"kind": "sgd", "lr": 0.05, "label": f"l{at}"} for at in range(labels)]
    return JobSpec.model_validate(
        {"problem": {"kind": "flipnet"}, "optimizers": optimizers, "seeds": {"count": seeds}, "epochs": EPOCHS}
    )


def table_of(spec: JobSpec, final_SN: Floats, first_SN: Floats, diverged_SN: NDArray[np.bool_]) -> tuple[Table, Choice]:
    """Make the table of a job that has ended: final losses and epochs to the target by label and seed."""
    shape = final_SN.shape
    final_SN = np.where(diverged_SN, np.inf, final_SN)
    table = Table(
        runs=Runs(spec),
        distinct=np.arange(shape[1]),
        run_N=np.arange(shape[1]),
        recorded_SN=np.ones(shape, dtype=bool),
        ended_SN=np.ones(shape, dtype=bool),
        diverged_SN=diverged_SN,
        epochs_SN=np.full(shape, EPOCHS),
        final_SN=final_SN,
        best_SN=final_SN,
        at_start={"loss": np.full(shape[1], UNTRAINED)},
        first_SN=first_SN,
        settled_SN=first_SN,
    )
    return table, choose(table, None)
