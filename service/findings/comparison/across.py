"""Which label is best over several jobs? Performance profiles and runtime distributions; every job counts the same."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.analysis.profiles import (
    MAX_RATIO,
    PRECISIONS,
    Band,
    banded,
    performance_ratios,
    precision_runtimes,
    profile_score,
    resampled_weights,
)
from service.database.tables import Job
from service.errors import Rejected
from service.findings.comparison.rows import read_portions
from service.findings.comparison.table import Table, read_curves, read_table
from service.jobs.specs import spec_of
from service.spec.job import JobSpec
from service.spec.surfaces import SURFACES

Floats = NDArray[np.float64]
MAX_INSTANCES = 2_000
NUM_RATIOS = 31
NUM_BUDGETS = 40


def compare_across(session: Session, jobs: Sequence[Job], target: float | None) -> dict[str, Any]:
    """Compare the labels that all jobs have, each at its best setting by median final loss.

    An instance is one seed and start of one job, at most 2,000 in all. Its cost is the epochs to the target.

    Raises:
        Rejected: No label is in all jobs, or there is nothing recorded.
    """
    specs = [spec_of(job) for job in jobs]
    labels = [str(entry.label) for entry in specs[0].optimizers]
    common = [label for label in labels if all(label in [entry.label for entry in spec.optimizers] for spec in specs)]
    if not common:
        lists = "; ".join(f"{job.id}: {', '.join(str(entry.label) for entry in spec.optimizers)}"
                          for job, spec in zip(jobs, specs, strict=True))  # fmt: skip
        raise _refused(f"no label is in all of these jobs ({lists})")
    costs, times, groups, described = [], [], [], []
    for number, (job, spec) in enumerate(zip(jobs, specs, strict=True)):
        table = read_table(session, job, spec)
        entries = [[entry.label for entry in spec.optimizers].index(label) for label in common]
        rows = [table.best_of(entry) for entry in entries]
        columns = np.flatnonzero(table.recorded_SN[rows].all(axis=0))[: max(1, MAX_INSTANCES // len(jobs))]
        if len(columns) == 0:
            raise _refused(f"job {job.id} has nothing recorded of {' or '.join(common)} yet")
        loss, source = _target(spec, table, rows[0], target)
        read_curves(session, job, spec, table, loss)
        costs.append(table.first_SN[rows][:, columns])
        least, known = _least(spec, table)
        times.append(_runtimes(session, job, spec, table, rows, columns, least))
        groups.append(np.full(len(columns), number))
        described.append({
            "job_id": job.id, "name": job.name, "status": job.status, "instances": len(columns),
            "target": {"loss": loss, "source": source}, "least_loss": least, "least_loss_source": known,
            "settings": [table.setting(row).label for row in rows],
        })  # fmt: skip
    group_I = np.concatenate(groups)
    weight_I, weight_BI = resampled_weights(group_I)
    ratio_SI = performance_ratios(np.concatenate(costs, axis=1))
    time_SIK = np.concatenate(times, axis=1)
    ratios_T = np.linspace(1, MAX_RATIO, NUM_RATIOS)
    longest = max(spec.epochs for spec in specs)
    budgets_T = np.unique(np.round(np.geomspace(1, longest, NUM_BUDGETS)))
    scores = profile_score(ratio_SI, weight_I)
    resampled_SB = profile_score(ratio_SI, weight_BI.T)
    ends = np.quantile(resampled_SB, [0.025, 0.975], axis=1)
    return {
        "jobs": described,
        "profile_ratios": ratios_T.tolist(),
        "budgets": budgets_T.tolist(),
        "precisions": PRECISIONS.tolist(),
        "labels": [
            {
                "label": label,
                "score": {"value": float(scores[at]), "low": float(ends[0, at]), "high": float(ends[1, at])},
                "solved": float(np.isfinite(ratio_SI[at]) @ weight_I),
                "profile": _shown(banded((ratio_SI[at][:, None] <= ratios_T).astype(float), weight_I, weight_BI)),
                "runtimes": _shown(banded(_reached(time_SIK[at], budgets_T), weight_I, weight_BI)),
            }
            for at, label in enumerate(common)
        ],
    }  # fmt: skip


def _target(spec: JobSpec, table: Table, row: int, asked: float | None) -> tuple[float | None, str]:
    if asked is not None:
        return asked, "query"
    if spec.target_loss is not None:
        return spec.target_loss, "spec"
    median = float(table.median_final()[row])
    return (median if np.isfinite(median) else None), "median_final_loss_of_baseline"


def _least(spec: JobSpec, table: Table) -> tuple[float, str]:
    """Give the least loss: that of the known minimum, else the smallest that any run of the job has recorded."""
    if spec.problem.kind == "quadratic" and spec.problem.minima:
        return 0.0, "minimum"
    surface = SURFACES.get(getattr(spec.problem, "name", None) or "")
    if surface is not None and surface.minima and surface.value is not None:
        return surface.value, "minimum"
    seen = table.best_SN[table.recorded_SN]
    return float(seen.min()), "smallest_recorded"


def _runtimes(
    session: Session, job: Job, spec: JobSpec, table: Table, rows: list[int], columns: NDArray[np.int64], least: float
) -> Floats:
    """Read when the chosen runs reach each precision, [S, I, K]."""
    per = table.runs.per_setting
    found = np.full((len(rows), len(columns), len(PRECISIONS)), np.inf)
    for at, row in enumerate(rows):
        span = (row * per, row * per + int(columns[-1]) + 1)
        for portion in read_portions(session, job, spec.rows_per_run, [], span):
            start_R = portion.curves.loss_P[portion.curves.first_R]
            place_R = portion.index_R - row * per
            times_RK = precision_runtimes(portion.curves, start_R, least)
            chosen = np.isin(place_R, columns)
            found[at, np.searchsorted(columns, place_R[chosen])] = times_RK[chosen]
    return found


def _reached(time_IK: Floats, budgets_T: Floats) -> Floats:
    """Give for each instance the share of precisions that are reached within each budget, [I, T]."""
    return np.stack([(time_IK <= budget).mean(axis=1) for budget in budgets_T.tolist()], axis=1)


def _shown(band: Band) -> dict[str, list[float]]:
    return {"share": band.share_T.tolist(), "low": band.low_T.tolist(), "high": band.high_T.tolist()}


def _refused(sentence: str) -> Rejected:
    return Rejected.at("query", "jobs", sentence)
