"""The criterion of a comparison: one value of each run, on the scale of the problem, and its mean over each seed.

Seeds are the replicates. Starts that do not depend on the seed are fixed instances, averaged within a seed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.analysis.estimate import Estimate
from service.analysis.robust import capped, medians_at_start
from service.findings.comparison.table import Table
from service.spec import criteria
from service.spec.criteria import Criterion, Scale
from service.spec.job import JobSpec
from service.spec.seeds import SeedRange

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """The criterion of a comparison.

    Attributes:
        declared: Whether the spec names it, so that it was chosen before the results.
        larger_is_better: Whether a larger value is better.
        least: Known least value, from which a logarithmic criterion is measured.
        untrained: Median value at epoch 0; the number of epochs for times; None if there is none.
    """

    name: Criterion
    scale: Scale
    declared: bool
    larger_is_better: bool
    least: float
    untrained: float | None

    def natural(self, value: float) -> float:
        """Convert a mean on the scale into the unit of the criterion: a geometric mean on a logarithmic scale."""
        return float(np.exp(value)) + self.least if self.scale == "log" else value

    def ratio(self, difference: Estimate) -> Estimate | None:
        """Convert a difference of logarithms into a ratio; None on a linear scale."""
        if self.scale == "linear":
            return None
        with np.errstate(over="ignore"):
            return Estimate(*(float(np.exp(end)) for end in (difference.value, difference.low, difference.high)))


def measure_of(spec: JobSpec, table: Table, name: Criterion | None) -> Measure:
    """Give the criterion of a comparison: that of the query, else that of the spec, else the problem's default."""
    quantity = criteria.quantity_of(spec.problem, name or spec.criterion, maximize=table.larger_is_better)
    start_T = untrained(spec, table, quantity.name)
    known_T = start_T[np.isfinite(start_T)]
    return Measure(
        name=quantity.name,
        scale=quantity.scale,
        declared=spec.criterion == quantity.name,
        larger_is_better=quantity.larger_is_better,
        least=quantity.least,
        untrained=float(np.median(known_T)) if len(known_T) else None,
    )


def run_values(spec: JobSpec, table: Table, measure: Measure, rows: list[int]) -> Floats:
    """Give the value of each run on the scale of the criterion, [rows, seeds, starts]; NaN where nothing is recorded.

    A value worse than the untrained start (the median of all seeds from the same start) counts as that start, and so
    does a run that diverged; its accuracy counts 0. A miss of the target counts as all epochs.
    """
    values_SJT = table.by_seed(raw_values(table, measure.name)[rows])
    recorded_SJT, diverged_SJT = (table.by_seed(one[rows]) for one in (table.recorded_SN, table.diverged_SN))
    values_SJT = capped(
        values_SJT,
        diverged_SJT,
        untrained(spec, table, measure.name),
        name=measure.name,
        scale=measure.scale,
        larger_is_better=measure.larger_is_better,
        least=measure.least,
    )
    return np.asarray(np.where(recorded_SJT, values_SJT, np.nan))


def raw_values(table: Table, name: Criterion) -> Floats:
    """Give the value of each run as measured, [S, N]."""
    if name in table.last:
        return table.last[name]
    by_name: dict[str, Any] = {
        "final_loss": table.final_SN,
        "best_loss": table.best_SN,
        "loss_area": table.area_SN,
        "epochs_to_target": table.first_SN,
    }
    return np.asarray(by_name[name])


def untrained(spec: JobSpec, table: Table, name: Criterion) -> Floats:
    """Give the median value at epoch 0 from each start, [starts]; NaN where it is unknown."""
    if name == "epochs_to_target":
        return np.full(table.num_starts, float(spec.epochs))
    start_JT = table.at_start.get(name, table.at_start["loss"]).reshape(-1, table.num_starts)
    if isinstance(spec.seeds, SeedRange):
        # Later seeds of a job that decides change no value.
        start_JT = start_JT[table.distinct < spec.seeds.count]
    return medians_at_start(start_JT)
