"""The loss to reach: one for all labels, and a ladder of losses for the picture over all targets."""

from dataclasses import dataclass

import numpy as np

from service.findings.comparison.choice import Choice
from service.findings.comparison.criterion import untrained
from service.findings.comparison.table import Table
from service.spec import criteria
from service.spec.job import JobSpec

# Shares of the gap between the untrained start and the known least loss.
SHARES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)
# Shares of all runs, where neither published targets nor a least loss are known.
QUANTILES = (0.9, 0.75, 0.5, 0.25, 0.1)
DIGITS = 3
HALF = 0.5


@dataclass(frozen=True)
class Target:
    """The loss to reach, where it comes from, and why."""

    loss: float | None
    source: str
    reason: str


def ladder_of(spec: JobSpec, table: Table, choice: Choice) -> list[float]:
    """List losses to reach from easy to hard; none of them depends on one label.

    The problem's published targets; on a landscape with a known least loss, shares of the gap at the start, rounded;
    else quantiles of the final losses of all compared runs.
    """
    if published := list(criteria.targets(spec.problem)):
        return published if not table.larger_is_better else []
    least = criteria.least_loss(spec.problem)
    start = untrained(spec, table, "final_loss")
    start = start[np.isfinite(start)]
    if least is not None and not table.larger_is_better and len(start) and np.median(start) > least:
        gap = float(np.median(start)) - least
        return [least + float(f"{share * gap:.{DIGITS}g}") for share in SHARES]
    finals = np.concatenate([choice.values(table, table.final_SN, row).reshape(-1) for row in choice.rows])
    sign = -1.0 if table.larger_is_better else 1.0
    finals = sign * finals[np.isfinite(finals)]
    if not len(finals):
        return []
    losses = [sign * float(np.quantile(finals, share, method="inverted_cdf")) for share in QUANTILES]
    return list(dict.fromkeys(losses))


def target_of(spec: JobSpec, table: Table, choice: Choice, asked: float | None, ladder: list[float]) -> Target:
    """Choose the loss to reach: that of the query, that of the spec, or one that counts all labels alike.

    The last is the hardest step of the ladder that every label reaches in at least half of its runs; if there is none,
    the hardest one that half of all runs reach, every label counted alike.
    """
    if asked is not None:
        return Target(asked, "query", "Given by the query.")
    if spec.target_loss is not None:
        return Target(spec.target_loss, "spec", "Declared in the spec.")
    shares = [(loss, _shares_reached(table, choice, loss)) for loss in ladder]
    if not any(max(of, default=0.0) > 0 for _, of in shares):
        return Target(None, "none", "No run reaches any of the usual targets.")
    of = "published for this problem" if criteria.targets(spec.problem) else "of the ladder of targets"
    hardest = max if table.larger_is_better else min
    if by_each := [loss for loss, by_label in shares if min(by_label) >= HALF]:
        return Target(
            hardest(by_each), "all_labels", f"The hardest loss {of} that each label reaches in half of its runs."
        )
    if by_all := [loss for loss, by_label in shares if np.mean(by_label) >= HALF]:
        return Target(hardest(by_all), "all_labels", f"The hardest loss {of} that half of all runs reach.")
    return Target(ladder[0], "all_labels", f"The easiest loss {of}: fewer than half of all runs reach any.")


def _shares_reached(table: Table, choice: Choice, loss: float) -> list[float]:
    """Give the share of runs of each label that reach a loss; 0 without runs."""
    shares = []
    for row in choice.rows:
        best = choice.values(table, table.best_SN, row)
        known = choice.values(table, table.recorded_SN, row)
        reached = best >= loss if table.larger_is_better else best <= loss
        shares.append(float(reached[known].mean()) if known.any() else 0.0)
    return shares
