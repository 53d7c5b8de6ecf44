"""Which label wins when each may be tuned? Chosen on one half of the pairs, judged on the other."""

from dataclasses import asdict
from math import log10
from typing import Any

import numpy as np

from service.analysis.pairs import paired_difference
from service.analysis.summaries import medians, summaries
from service.analysis.tuning import band, expected_best
from service.findings.comparison.table import Floats, Table

# Budgets at which the expected best loss is told: 1, 2, 4, … settings.
MAX_DOUBLINGS = 20


def tuned_comparison(table: Table) -> dict[str, Any]:
    """Tune every label on the even pairs and judge it on the odd ones; say why not where there are too few."""
    final_SN = np.where(table.recorded_SN, table.final_SN, np.nan)
    choosing_SN, judging_SN = final_SN[:, ::2], final_SN[:, 1::2]
    judged = judging_SN.shape[1] > 0
    if not judged:
        # With one pair there is no other half; the choice is still worth showing, its judgement is not.
        judging_SN = np.full_like(choosing_SN, np.nan)
    scores_S = medians(choosing_SN)
    scores_S = np.where(np.isnan(scores_S), np.inf, scores_S)
    labels = []
    chosen: list[int] = []
    for number, settings in enumerate(table.runs.entries):
        rows = table.rows_of(number)
        best = rows.start + int(scores_S[rows.start : rows.stop].argmin())
        chosen.append(best)
        sample_N = judging_SN[best][~np.isnan(judging_SN[best])]
        first_N = judging_SN[chosen[0]]
        both_N = ~np.isnan(judging_SN[best]) & ~np.isnan(first_N)
        summary = summaries([sample_N])[0]
        against = number > 0 and both_N.any()
        labels.append({
            "label": settings.entry.label,
            "num_settings": settings.num,
            "chosen": table.setting(best).label,
            "optimizer": table.setting(best).optimizer,
            "final_loss": None if summary is None else asdict(summary),
            "difference_to_first": asdict(paired_difference(judging_SN[best][both_N], first_N[both_N], "iqm"))
            if against else None,
            "expected_best": _expected(scores_S[rows.start : rows.stop], _untrained(table)),
            "learning_rates": _sensitivity(table, number, scores_S),
        })  # fmt: skip
    return {
        "chosen_on_pairs": int(choosing_SN.shape[1]),
        "judged_on_pairs": int(judging_SN.shape[1]) if judged else 0,
        "labels": labels,
    }


def _untrained(table: Table) -> float:
    """Give the median loss at the start: what a setting is worth that diverged, since nobody would keep its result."""
    known = table.start_SN[np.isfinite(table.start_SN)]
    return float(np.median(known)) if len(known) else np.inf


def _expected(scores_M: Floats, untrained: float) -> dict[str, Any]:
    num = len(scores_M)
    budgets = sorted({min(num, 2**power) for power in range(MAX_DOUBLINGS)})
    return {
        "settings_tried": budgets,
        "loss": expected_best(np.where(np.isinf(scores_M), untrained, scores_M), budgets),
        "diverged_counts_as": untrained,
    }


def _sensitivity(table: Table, number: int, scores_S: Floats) -> dict[str, Any] | None:
    """Tell how wide the band of good learning rates is, every other hyper-parameter at its best for each rate."""
    settings = table.runs.entries[number]
    rates_M = settings.values_of("lr")
    rows = table.rows_of(number)
    axis = settings.axis_of("lr")
    by_rate = np.moveaxis(scores_S[rows.start : rows.stop].reshape(settings.shape), axis, 0)
    losses_M = by_rate.reshape(len(rates_M), -1).min(axis=1)
    if len(rates_M) < 2 or not np.isfinite(losses_M).any():
        return None
    low, high = band(rates_M, losses_M)
    return {
        "num_rates": len(rates_M),
        "best": float(rates_M[losses_M.argmin()]),
        "low": low,
        "high": high,
        "decades": log10(high / low),
    }
