"""How does one setting do against another, pair by pair, and which sentence sums it up?"""

from dataclasses import asdict
from typing import Any

import numpy as np

from service.analysis.pairs import Estimate, differences, probability_of_improvement, speed_up
from service.analysis.signed_rank import signed_rank_p
from service.analysis.summaries import summaries
from service.analysis.verdicts import Contender, verdict
from service.findings.comparison.table import Table


def against(table: Table, row: int, base: int, target: float | None) -> dict[str, Any]:
    """Compare a setting with the baseline, pair by pair."""
    both_N = table.recorded_SN[row] & table.recorded_SN[base]
    this_N, baseline_N = table.final_SN[row][both_N], table.final_SN[base][both_N]
    if not both_N.any():
        return {"pairs": 0, "final_loss_difference": None, "probability_of_improvement": None, "wilcoxon_p": 1.0,
                "speed_up": None, "speed_up_settled": None}  # fmt: skip
    apart_N = differences(this_N, baseline_N)
    difference = summaries([apart_N])[0]
    assert difference is not None
    speeds = {}
    for name, epochs_SN in {"speed_up": table.first_SN, "speed_up_settled": table.settled_SN}.items():
        speeds[name] = None if target is None else asdict(speed_up(epochs_SN[row][both_N], epochs_SN[base][both_N]))
    return {
        "pairs": int(both_N.sum()),
        "final_loss_difference": asdict(difference),
        "probability_of_improvement": asdict(probability_of_improvement(this_N, baseline_N)),
        "wilcoxon_p": signed_rank_p(apart_N),
        **speeds,
    }


def sentence(
    table: Table,
    there: list[int],
    base: int,
    rank_of: dict[int, int],
    num_others: int,
    target: float | None,
) -> str:
    if not there:
        return "No run has recorded anything yet."
    if not np.isfinite(table.final_SN[there][table.recorded_SN[there]]).any():
        return "Every run of every optimizer diverged: nobody wins."
    if num_others == 0:
        return f"{table.setting(there[0]).label} has nothing to be compared with."
    final_SN = np.where(table.recorded_SN, table.final_SN, np.nan)
    order = sorted(there, key=lambda row: (rank_of[row], np.nanmedian(final_SN[row])))
    # The baseline is named where it wins, against the best of the others.
    rival = order[0] if order[0] != base else next(row for row in order if row != base)
    winner, other = (rival, base) if order[0] == rival else (base, rival)
    compared = against(table, winner, other, target)
    if rank_of[winner] == rank_of[other] and _is_slower(compared["speed_up"]):
        # Where the losses are equal, the sentence is about the one that is there sooner.
        winner, other = other, winner
        compared = against(table, winner, other, target)
    pace = compared["speed_up"]
    contender = Contender(
        label=table.setting(winner).label,
        speed_up=Estimate(**pace["ratio"]) if pace and pace["ratio"] else None,
        misses=pace["only_baseline"] if pace else 0,
        other_misses=pace["only_this"] if pace else 0,
        difference=Estimate(**compared["final_loss_difference"]["iqm"]) if compared["final_loss_difference"] else None,
        pairs=compared["pairs"],
    )
    return verdict(contender, table.setting(other).label, target)


def _is_slower(pace: dict[str, Any] | None) -> bool:
    return pace is not None and pace["median_ratio"] is not None and pace["median_ratio"] < 1
