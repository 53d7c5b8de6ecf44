"""Tuning of one label: the chosen setting, the benefit of more trials, and the sensitivity to the learning rate."""

from math import log10
from typing import Any

import numpy as np

from service.analysis.importance import variance_share
from service.analysis.simultaneous import CONFIDENCE
from service.analysis.tuning import band, expected_best, quantiles_of_best, share_within
from service.database.tables import Job
from service.findings.comparison.choice import Choice
from service.findings.comparison.criterion import untrained
from service.findings.comparison.table import Floats, Table
from service.jobs.receipts import classes_of
from service.spec.criteria import least_loss
from service.spec.job import JobSpec
from service.spec.torch_code import torch_code

# Numbers of trials at which the expected best loss is given: 1, 2, 4, … settings.
MAX_DOUBLINGS = 20


def describe_chosen(job: Job, table: Table, row: int) -> dict[str, Any]:
    """Describe the setting that stands for a label, with one line of torch that makes it."""
    setting = table.setting(row)
    code = torch_code(setting.optimizer, classes_of(job))
    return {"setting": setting.label, "optimizer": setting.optimizer, "code": code}


def describe_tuning(spec: JobSpec, table: Table, choice: Choice, number: int) -> dict[str, Any] | None:
    """Describe the choice of an entry's setting by the choosing seeds; None where there was none."""
    settings = table.runs.entries[number]
    if choice.scores_S is None or settings.num == 1:
        return None
    rows = table.rows_of(number)
    scores_M = choice.scores_S[rows.start : rows.stop]
    values = settings.columns(np.arange(settings.num))
    losses = None if table.larger_is_better else scores_M
    return {
        "num_settings": settings.num,
        "expected_best": None if losses is None else _expected(spec, table, losses),
        "learning_rates": None if losses is None else _sensitivity(spec, table, number, losses),
        "good_share": None if losses is None else _good_share(spec, losses),
        "importance": [
            {"name": name, "variance_share": variance_share(values[name], scores_M)} for name in settings.varying
        ],
    }


def _expected(spec: JobSpec, table: Table, scores_M: Floats) -> dict[str, Any]:
    """Give the expected best score of k settings; one that diverged counts as the untrained start."""
    start = untrained(spec, table, "final_loss")
    start = start[np.isfinite(start)]
    worst = float(np.median(start)) if len(start) else np.inf
    finite_M = np.where(np.isinf(scores_M), worst, scores_M)
    num = len(scores_M)
    budgets = sorted({min(num, 2**power) for power in range(MAX_DOUBLINGS)})
    return {
        "settings_tried": budgets,
        "loss": expected_best(finite_M, budgets),
        "low": quantiles_of_best(finite_M, budgets, (1 - CONFIDENCE) / 2),
        "high": quantiles_of_best(finite_M, budgets, (1 + CONFIDENCE) / 2),
        "diverged_counts_as": worst,
    }


def _sensitivity(spec: JobSpec, table: Table, number: int, scores_M: Floats) -> dict[str, Any] | None:
    """Give the band of good learning rates, every other hyper-parameter at its best for each rate.

    A search over several hyper-parameters has none. The band is measured from the known least loss; without one it
    would depend on the offset of the loss, and has no ends.
    """
    settings = table.runs.entries[number]
    if settings.varies_with_others("lr"):
        return None
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


def _good_share(spec: JobSpec, scores_M: Floats) -> float | None:
    """Give the share of settings within 10 % of the best, above the known least loss."""
    least = least_loss(spec.problem)
    if least is None or not np.isfinite(scores_M).any():
        return None
    return share_within(np.maximum(scores_M - least, 0.0))
