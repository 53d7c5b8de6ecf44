"""Tuning of one label: the chosen setting, the benefit of more trials, and the sensitivity to the learning rate."""

from math import log10
from typing import Any

import numpy as np

from service.analysis.tuning import band, expected_best
from service.findings.comparison.choice import Choice
from service.findings.comparison.criterion import untrained
from service.findings.comparison.table import Floats, Table
from service.spec.criteria import least_loss
from service.spec.job import JobSpec
from service.spec.torch_code import torch_code

# Numbers of trials at which the expected best loss is given: 1, 2, 4, … settings.
MAX_DOUBLINGS = 20


def describe_chosen(table: Table, row: int) -> dict[str, Any]:
    """Describe the setting that stands for a label, with one line of torch that makes it."""
    optimizer = table.setting(row).optimizer
    return {"setting": table.setting(row).label, "optimizer": optimizer, "code": torch_code(optimizer)}


def describe_tuning(spec: JobSpec, table: Table, choice: Choice, number: int) -> dict[str, Any] | None:
    """Describe the choice of an entry's setting by the choosing seeds; None where there was none."""
    settings = table.runs.entries[number]
    if choice.scores_S is None or settings.num == 1:
        return None
    rows = table.rows_of(number)
    scores_M = choice.scores_S[rows.start : rows.stop]
    return {
        "num_settings": settings.num,
        "expected_best": None if table.larger_is_better else _expected(spec, table, scores_M),
        "learning_rates": None if table.larger_is_better else _sensitivity(spec, table, number, scores_M),
    }


def _expected(spec: JobSpec, table: Table, scores_M: Floats) -> dict[str, Any]:
    """Give the expected best score of k settings; one that diverged counts as the untrained start."""
    start = untrained(spec, table, "final_loss")
    start = start[np.isfinite(start)]
    worst = float(np.median(start)) if len(start) else np.inf
    num = len(scores_M)
    budgets = sorted({min(num, 2**power) for power in range(MAX_DOUBLINGS)})
    return {
        "settings_tried": budgets,
        "loss": expected_best(np.where(np.isinf(scores_M), worst, scores_M), budgets),
        "diverged_counts_as": worst,
    }


def _sensitivity(spec: JobSpec, table: Table, number: int, scores_M: Floats) -> dict[str, Any] | None:
    """Give the band of good learning rates, every other hyper-parameter at its best for each rate.

    The band is measured from the known least loss; without one it would depend on the offset of the loss, and has no
    ends.
    """
    settings = table.runs.entries[number]
    rates_M = settings.values_of("lr")
    by_rate = np.moveaxis(scores_M.reshape(settings.shape), settings.axis_of("lr"), 0)
    losses_M = by_rate.reshape(len(rates_M), -1).min(axis=1)
    if len(rates_M) < 2 or not np.isfinite(losses_M).any():
        return None
    found = {"num_rates": len(rates_M), "best": float(rates_M[losses_M.argmin()])}
    least = least_loss(spec.problem)
    if least is None:
        return {**found, "low": None, "high": None, "decades": None}
    low, high = band(rates_M, np.maximum(losses_M - least, 0.0))
    return {**found, "low": low, "high": high, "decades": log10(high / low)}
