"""Who won, by how much, and how sure are we? One job's settings, side by side and pair by pair."""

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.analysis.bootstrap import LEVEL, NUM_RESAMPLES, SEED
from service.analysis.signed_rank import holm
from service.analysis.summaries import Summary, ranks, summaries
from service.database.states import JobStatus
from service.database.tables import Job
from service.errors import Rejected
from service.findings.comparison.cautions import cautions
from service.findings.comparison.pairs import against as against_baseline
from service.findings.comparison.pairs import sentence
from service.findings.comparison.predicted import theory_of
from service.findings.comparison.table import MAX_EACH, Table, read_curves, read_table
from service.findings.comparison.tuned import tuned_comparison
from service.jobs.specs import spec_of
from service.spec.job import JobSpec

Floats = NDArray[np.float64]


def compare(
    session: Session, job: Job, *, baseline: str | None = None, target: float | None = None, tuned: bool = False
) -> dict[str, Any]:
    """Compare the settings of a job, from one snapshot of what is recorded.

    Args:
        session: Read from here.
        job: Which job; it may still be running.
        baseline: Label of an entry or of one setting; by default the first entry's.
        target: Loss to reach; by default the spec's, else the baseline's median final loss.
        tuned: Choose each label's best setting on half of the pairs and judge it on the other half.

    Raises:
        Rejected: There is no such baseline.
    """
    spec = spec_of(job)
    table = read_table(session, job, spec)
    base = _baseline_row(table, baseline)
    shown = table.shown()
    if base not in shown:
        shown = sorted({*shown, base})
    loss, source = _target(spec, table, base, target)
    read_curves(session, job, spec, table, loss)
    partial = job.status != JobStatus.COMPLETED or not bool(table.ended_SN.all())
    there = [row for row in shown if table.recorded_SN[row].any()]
    described = _describe(spec, table, shown, loss)
    against = {
        row: against_baseline(table, row, base, loss) for row in there if row != base and table.recorded_SN[base].any()
    }
    adjusted = holm(np.array([one["wilcoxon_p"] for one in against.values()]))
    for one, p in zip(against.values(), adjusted.tolist(), strict=True):
        one["wilcoxon_p_holm"] = p
    final_SN = np.where(table.recorded_SN, table.final_SN, np.nan)
    rank_of = dict(zip(there, ranks(final_SN[there]), strict=True)) if there else {}
    labels = []
    for number, settings in enumerate(table.runs.entries):
        rows = [row for row in shown if row in table.rows_of(number)]
        each = table.num_settings <= MAX_EACH
        labels.append({
            "label": settings.entry.label,
            "kind": settings.entry.kind,
            "num_settings": settings.num,
            "represented_by": "each_setting" if each or settings.num == 1 else "best_median_final_loss",
            "settings": [
                {
                    **described[row],
                    "rank": rank_of.get(row),
                    "is_baseline": row == base,
                    "against_baseline": against.get(row),
                }
                for row in rows
            ],
        })  # fmt: skip
    return {
        "job_id": job.id,
        "name": job.name,
        "status": job.status,
        "partial": partial,
        "seeds": table.runs.num_seeds,
        "starts": table.runs.num_starts,
        "pairs": table.final_SN.shape[1],
        "baseline": table.setting(base).label,
        "target": {"loss": loss, "source": source},
        "intervals": {"level": LEVEL, "resamples": NUM_RESAMPLES, "seed": SEED},
        "labels": labels,
        "verdict": sentence(table, there, base, rank_of, len(against), loss),
        "warnings": cautions(spec, table, loss, partial=partial),
        "tuned": tuned_comparison(table) if tuned else None,
        "theory": theory_of(session, job, spec),
    }


def _baseline_row(table: Table, label: str | None) -> int:
    """Find the baseline: one setting by its label, or the best of an entry by median final loss."""
    if label is None:
        return table.best_of(0)
    spans = list(table.runs.labelled(label))
    if not spans:
        names = [str(settings.entry.label) for settings in table.runs.entries]
        sentence = f"no optimizer is labelled {label!r}; there are {', '.join(names)}"
        if table.num_settings > len(names):
            sentence += ", and single settings as in the labels of runs"
        raise Rejected.at("query", "baseline", sentence)
    first, last = (end // table.runs.per_setting for end in spans[0])
    if last - first == 1:
        return first
    return table.best_of(table.setting(first).entry)


def _target(spec: JobSpec, table: Table, base: int, asked: float | None) -> tuple[float | None, str]:
    if asked is not None:
        return asked, "query"
    if spec.target_loss is not None:
        return spec.target_loss, "spec"
    median = float(table.median_final()[base])
    return (median if np.isfinite(median) else None), "median_final_loss_of_baseline"


def _describe(spec: JobSpec, table: Table, shown: list[int], target: float | None) -> dict[int, dict[str, Any]]:
    """Summarize each setting by itself."""
    tables = {"final_loss": table.final_SN, "best_loss": table.best_SN, "loss_area": table.area_SN, **table.last}
    if target is not None:
        tables |= {"epochs_to_target": table.first_SN, "epochs_to_settle": table.settled_SN}
    samples, owners = [], []
    for name, values_SN in tables.items():
        for row in shown:
            there_N = table.recorded_SN[row] & ~np.isnan(values_SN[row])
            samples.append(values_SN[row][there_N])
            owners.append((row, name))
    found: dict[int, dict[str, Any]] = {}
    for row in shown:
        setting = table.setting(row)
        there_N = table.recorded_SN[row]
        num = int(there_N.sum())
        found[row] = {
            "label": setting.label,
            "optimizer": setting.optimizer,
            "runs": num,
            "diverged": int(table.diverged_SN[row][there_N].sum()),
            "updates_per_epoch": spec.updates_per_epoch,
            "share_reached": _share(table.first_SN, row, there_N) if target is not None else None,
            "share_settled": _share(table.settled_SN, row, there_N) if target is not None else None,
            **dict.fromkeys(("test_loss", "accuracy", "test_accuracy", "epochs_to_target", "epochs_to_settle",
                             "updates_to_target")),
            "paths": _paths(table, row),
        }  # fmt: skip
    for (row, name), summary in zip(owners, summaries(samples), strict=True):
        found[row][name] = None if summary is None else asdict(summary)
        if name == "epochs_to_target" and summary is not None:
            found[row]["updates_to_target"] = _scaled(summary, spec.updates_per_epoch)
    return found


def _share(epochs_SN: Floats, row: int, there_N: NDArray[np.bool_]) -> float | None:
    return float(np.isfinite(epochs_SN[row][there_N]).mean()) if there_N.any() else None


def _scaled(summary: Summary, factor: int) -> dict[str, Any]:
    """Turn epochs into updates."""
    scaled = asdict(summary)
    for name, value in scaled.items():
        if isinstance(value, dict):
            scaled[name] = {part: number * factor for part, number in value.items()}
        elif name != "num":
            scaled[name] = value * factor
    return scaled


def _paths(table: Table, row: int) -> dict[str, Any] | None:
    """Summarize the paths of a setting's runs."""
    paths = list(table.paths.get(row, {}).values())
    if not paths:
        return None
    numbers = {
        "turning_angle": [path.turning_angle for path in paths],
        "length": [path.length for path in paths],
        "detour": [path.detour for path in paths],
    }
    found = summaries([np.array(values)[~np.isnan(values)] for values in numbers.values()])
    ends = Counter("none" if path.minimum is None else str(path.minimum) for path in paths)
    return {
        "runs": len(paths),
        "sign_changes": np.median([path.sign_changes for path in paths], axis=0).tolist(),
        "overshoot": np.median([path.overshoot for path in paths], axis=0).tolist(),
        **{name: None if one is None else asdict(one) for name, one in zip(numbers, found, strict=True)},
        "ended_in": dict(sorted(ends.items())),
    }
