"""Summary of each compared setting by itself: losses, epochs to the target, accuracies, paths."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.analysis.speed import expected_epochs
from service.analysis.summaries import Summary, summaries
from service.findings.comparison.choice import Choice
from service.findings.comparison.table import Table
from service.spec.job import JobSpec

Floats = NDArray[np.float64]


def describe_settings(
    spec: JobSpec, table: Table, choice: Choice, rows: list[int], target: float | None
) -> dict[int, dict[str, Any]]:
    """Summarize settings over the judging seeds; an observation is the mean of a seed over its starts."""
    tables = {"final_loss": table.final_SN, "best_loss": table.best_SN, "loss_area": table.area_SN, **table.last}
    if target is not None:
        tables |= {"epochs_to_target": table.first_SN, "epochs_to_settle": table.settled_SN}
    samples, owners = [], []
    for name, values_SN in tables.items():
        for row in rows:
            samples.append(_by_seed(table, choice, values_SN, row))
            owners.append((row, name))
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        setting = table.setting(row)
        there = choice.values(table, table.recorded_SN, row)
        diverged = choice.values(table, table.diverged_SN, row)
        found[row] = {
            "label": setting.label,
            "optimizer": setting.optimizer,
            "runs": int(there.sum()),
            "diverged": int(diverged[there].sum()),
            "updates_per_epoch": spec.updates_per_epoch,
            "share_reached": _share(table, choice, table.first_SN, row, target),
            "share_settled": _share(table, choice, table.settled_SN, row, target),
            **dict.fromkeys(("validation_loss", "test_loss", "accuracy", "test_accuracy", "epochs_to_target",
                             "epochs_to_settle", "updates_to_target")),
            "expected_epochs": None if target is None else _expected(spec, table, choice, row),
            "paths": _paths(table, row),
        }  # fmt: skip
    for (row, name), summary in zip(owners, summaries(samples), strict=True):
        found[row][name] = None if summary is None else summary.as_dict()
        if name == "epochs_to_target" and summary is not None:
            found[row]["updates_to_target"] = _scaled(summary, spec.updates_per_epoch)
    return found


def describe_targets(spec: JobSpec, table: Table, choice: Choice, ladder: list[float]) -> list[dict[str, Any]]:
    """Give, for every loss of the ladder, the share of runs of each label that reach it and their expected epochs."""
    found = []
    for step, loss in enumerate(ladder):
        labels = []
        for label, row in zip(choice.labels, choice.rows, strict=True):
            there_NT = choice.values(table, table.recorded_SN, row)
            times_NT = table.ladder[row][:, step].reshape(table.num_seeds, table.num_starts)[choice.judging_J]
            times = times_NT[there_NT]
            labels.append({
                "label": label,
                "share_reached": float(np.isfinite(times).mean()) if times.size else None,
                "expected_epochs": expected_epochs(times, spec.epochs) if times.size else None,
            })  # fmt: skip
        found.append({"loss": loss, "labels": labels})
    return found


def _by_seed(table: Table, choice: Choice, values_SN: Floats, row: int) -> Floats:
    """Average each judging seed over its recorded starts; seeds without a value are left out."""
    values_NT = choice.values(table, values_SN, row)
    known_NT = choice.values(table, table.recorded_SN, row) & ~np.isnan(values_NT)
    some_N = known_NT.any(axis=1)
    sums_N = np.where(known_NT, values_NT, 0.0)[some_N].sum(axis=1)
    return np.asarray(sums_N / known_NT[some_N].sum(axis=1))


def _share(table: Table, choice: Choice, epochs_SN: Floats, row: int, target: float | None) -> float | None:
    there = choice.values(table, table.recorded_SN, row)
    if target is None or not there.any():
        return None
    return float(np.isfinite(choice.values(table, epochs_SN, row)[there]).mean())


def _expected(spec: JobSpec, table: Table, choice: Choice, row: int) -> float | None:
    there = choice.values(table, table.recorded_SN, row)
    return expected_epochs(choice.values(table, table.first_SN, row)[there], spec.epochs) if there.any() else None


def _scaled(summary: Summary, factor: int) -> dict[str, Any]:
    """Convert epochs into updates."""
    scaled = summary.as_dict()
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
        **{name: None if one is None else one.as_dict() for name, one in zip(numbers, found, strict=True)},
        "ended_in": dict(sorted(ends.items())),
    }
