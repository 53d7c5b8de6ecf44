"""Losses to reach on one problem, fixed before the runs are compared, and the epochs at which runs reach them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from service.analysis.curves import Curves
from service.analysis.profiles import PRECISIONS, epochs_to_losses, precision_losses
from service.database.tables import Job
from service.findings.comparison.measured import clipped
from service.findings.comparison.rows import read_portions
from service.findings.comparison.table import Floats, Table
from service.spec import criteria
from service.spec.job import JobSpec


@dataclass(frozen=True)
class Goals:
    """Losses to reach, first the declared ones, then the ladder of a problem.

    Attributes:
        aims: Losses given by the query, else by the specs; empty where the whole ladder counts.
        published: Published losses of the problem; where there are none, the ladder is that of 51 precisions.
        least: The loss from which precisions are measured; NaN if it is unknown and no run has a finite loss.
        is_known: Whether the least loss is known, not the best recorded one.
        larger_is_better: Whether the loss is maximised.
        source: Source of what is counted.
    """

    aims: tuple[float, ...]
    published: tuple[float, ...]
    least: float
    is_known: bool
    larger_is_better: bool
    source: str

    @property
    def counted(self) -> slice:
        """Where the goals stand by which labels are compared."""
        return slice(0, len(self.aims) or None)

    @property
    def ladder(self) -> slice:
        """Where the ladder stands."""
        return slice(len(self.aims), None)

    @property
    def num_counted(self) -> int:
        """Count the goals by which labels are compared."""
        return len(self.aims) or len(self.published) or len(PRECISIONS)

    @property
    def sign(self) -> float:
        """The factor that makes smaller losses the better ones."""
        return -1.0 if self.larger_is_better else 1.0

    @property
    def least_source(self) -> str:
        """Source of the least loss."""
        return "minimum" if self.is_known else "largest_recorded" if self.larger_is_better else "smallest_recorded"

    def losses(self, start_R: Floats) -> Floats:
        """Give all goals of runs by their losses at the start, times the sign, [R, K]."""
        fixed = self.sign * np.array(self.aims + self.published)
        fixed_RK = np.broadcast_to(fixed, (len(start_R), len(fixed)))
        if self.published:
            return fixed_RK
        with np.errstate(invalid="ignore"):
            return np.hstack([fixed_RK, precision_losses(self.sign * start_R, self.sign * self.least)])

    def describe(self) -> dict[str, Any]:
        """Describe what is counted, as it stands in an answer."""
        reason = {
            "query": "Given by the query.",
            "spec": "Declared in the spec." if len(self.aims) == 1 else "Declared in the specs of these jobs.",
            "published": "The published target losses of this problem.",
            "precisions": "51 shares of the gap between the loss at the start and the known least loss.",
            "recorded": "51 shares of the gap between the loss at the start and the best loss that was recorded.",
        }[self.source]
        loss = self.aims[0] if len(self.aims) == 1 else None
        return {"loss": loss, "source": self.source, "num": self.num_counted, "reason": reason}


def goals_of(specs: Sequence[JobSpec], tables: Sequence[Table], asked: float | None) -> Goals:
    """Give the goals of one problem: the loss of the query, else those of the specs, else the whole ladder.

    Only where neither a least loss nor published losses are known do they depend on runs: on all of the compared
    labels.
    """
    problem, larger_is_better = specs[0].problem, specs[0].maximize
    declared = sorted({spec.target_loss for spec in specs if spec.target_loss is not None}, reverse=True)
    aims = (asked,) if asked is not None else tuple(declared)
    # Of a loss that is maximised neither a least value nor a published loss is a goal.
    published = () if larger_is_better else criteria.targets(problem)
    least = None if larger_is_better else criteria.least_loss(problem)
    seen = np.concatenate([table.best_SN[table.recorded_SN & np.isfinite(table.best_SN)] for table in tables])
    best = float(seen.max() if larger_is_better else seen.min()) if len(seen) else float("nan")
    ladder = "published" if published else "recorded" if least is None else "precisions"
    return Goals(
        aims=aims,
        published=published,
        least=best if least is None else least,
        is_known=least is not None,
        larger_is_better=larger_is_better,
        source="query" if asked is not None else "spec" if aims else ladder,
    )


def read_times(session: Session, job: Job, spec: JobSpec, table: Table, rows: Sequence[int], goals: Goals) -> Floats:
    """Read when the runs of some rows first reach each goal, [rows, seeds, starts, K]; infinite for a miss.

    Stores in the table how often gradients were clipped.
    """
    per = table.runs.per_setting
    num_goals = goals.losses(np.zeros(1)).shape[1]
    time_LRK = np.full((len(rows), per, num_goals), np.inf)
    share_LR = np.full((len(rows), per), np.nan)
    limits = [entry.clip_norm for entry in table.runs.spec.optimizers]
    fields = ["grad_norm"] if any(limits) else []
    for at, row in enumerate(rows):
        # All of them in ascending order; those of a job that decides stand between runs of other rows.
        there_P = np.flatnonzero(table.index_SP[row] >= 0)
        index_P = table.index_SP[row, there_P]
        whole = int(index_P[0]), int(index_P[-1]) + 1
        for portion in read_portions(session, job, spec.rows_per_run, fields, whole, index_P):
            curves, run_R = portion.curves, there_P[np.searchsorted(index_P, portion.index_R)]
            falling = Curves(curves.first_R, curves.epoch_P, goals.sign * curves.loss_P)
            time_LRK[at, run_R] = epochs_to_losses(falling, goals.losses(curves.loss_P[curves.first_R]))
            if fields:
                share_LR[at, run_R] = clipped(portion, limits, table, np.full_like(run_R, row))
    table.clipped_SN = np.full(table.recorded_SN.shape, np.nan)
    table.clipped_SN[list(rows)] = share_LR[:, table.run_N]
    return time_LRK[:, table.run_N].reshape(len(rows), table.num_seeds, table.num_starts, num_goals)
