"""What makes a comparison unfair, or less sure than it looks: warnings, each with a code and a sentence."""

from typing import Any

import numpy as np

from service.findings.comparison.table import MAX_EACH, MAX_PATHS, Table
from service.spec.job import JobSpec

MIN_PAIRS = 5


def cautions(spec: JobSpec, table: Table, target: float | None, *, partial: bool) -> list[dict[str, str]]:
    """List what a reader should know before trusting the answer."""
    found: list[tuple[str, str]] = []
    num_pairs = table.final_SN.shape[1]
    shown = table.shown()
    if not table.recorded_SN.any():
        return [_caution("no_rows", "No run has recorded anything yet: there is nothing to compare.")]
    if partial:
        epochs = table.epochs_SN[table.recorded_SN]
        found.append(("partial", "Not every run has trained to its end: this compares what is there, "
                      f"runs of {epochs.min():,} to {epochs.max():,} of {spec.epochs:,} epochs."))  # fmt: skip
        reached = [table.epochs_SN[row][table.recorded_SN[row]].max(initial=0) for row in shown]
        if len(set(reached)) > 1:
            found.append(("unequal_budgets", "The settings have trained for different numbers of epochs so far."))
    if not table.seeds_matter:
        found.append(("seeds_change_nothing", f"All {table.runs.num_seeds} seeds give the same losses (no noise, no "
                      "random start): they count as one, and only starts tell how sure this is."))  # fmt: skip
    if num_pairs < MIN_PAIRS:
        found.append(("few_seeds", f"{num_pairs} {'pair' if num_pairs == 1 else 'pairs'} of seed and start: intervals "
                      f"of fewer than {MIN_PAIRS} are too narrow, and of one there is none."))  # fmt: skip
    found += _grids(spec, table)
    found += _targets(table, shown, target)
    if table.diverged_SN[table.recorded_SN].all():
        found.append(("all_diverged", "Every run diverged: there is no winner."))
    for row in shown:
        found += _clipping(spec, table, row)
    if table.paths and len(shown) * num_pairs > MAX_PATHS:
        found.append(("paths_of_some", f"Paths are those of the first {max(1, MAX_PATHS // len(shown))} pairs."))
    return [_caution(code, sentence) for code, sentence in found]


def _grids(spec: JobSpec, table: Table) -> list[tuple[str, str]]:
    found = []
    nums = {entry.label or entry.kind: settings.num for entry, settings in zip(
        spec.optimizers, table.runs.entries, strict=True)}  # fmt: skip
    if len(set(nums.values())) > 1:
        counts = ", ".join(f"{label} {num}" for label, num in nums.items())
        found.append(("unequal_grids", "The labels had unequal numbers of settings to choose from "
                      f"({counts}): the more, the better the best one looks."))  # fmt: skip
    if table.num_settings > MAX_EACH and max(nums.values()) > 1:
        found.append(("chosen_on_judged_data", "Each label is represented by its best setting by median final loss, "
                      "chosen on the runs that it is judged on; tuned=true chooses on one half of them and judges on "
                      "the other."))  # fmt: skip
    for number, settings in enumerate(table.runs.entries):
        rates = settings.values_of("lr")
        if len(rates) < 2 or not np.isfinite(table.median_final()[list(table.rows_of(number))]).any():
            continue
        best = table.setting(table.best_of(number)).optimizer["lr"]
        if best in (rates.min(), rates.max()):
            end = "smallest" if best == rates.min() else "largest"
            found.append(("lr_at_grid_edge", f"The best learning rate of {settings.entry.label}, {best:g}, is the "
                          f"{end} of its grid: a better one may lie beyond."))  # fmt: skip
    return found


def _targets(table: Table, shown: list[int], target: float | None) -> list[tuple[str, str]]:
    if target is None:
        return [("no_target", "There is no finite target to reach: the baseline's median final loss is infinite.")]
    reached_SN = np.isfinite(table.first_SN) & table.recorded_SN
    found = []
    missed = [table.setting(row).label for row in shown if not reached_SN[row].any() and table.recorded_SN[row].any()]
    if missed:
        names = ", ".join(missed[:5]) + (f" and {len(missed) - 5} more" if len(missed) > 5 else "")
        found.append(("target_never_reached", f"No run reaches loss {target:.6g} with {names}."))
    if (table.first_SN[shown] == 0).any():
        found.append(("target_met_at_start", f"Some runs start at or below loss {target:.6g}: they tell nothing about "
                      "speed, and no ratio is formed with them."))  # fmt: skip
    return found


def _clipping(spec: JobSpec, table: Table, row: int) -> list[tuple[str, str]]:
    setting = table.setting(row)
    limits: dict[str, Any] = spec.optimizers[setting.entry].clipping()
    if not limits:
        return []
    shares = table.clipped_SN[row][table.recorded_SN[row]] if table.clipped_SN.size else np.empty(0)
    if "clip_norm" in limits and len(shares) and np.mean(shares) > 0.5:
        return [("clipping_active", f"{setting.label} was clipped most of the time: the full gradient was longer than "
                 f"clip_norm {limits['clip_norm']:g} in {np.mean(shares):.0%} of its recorded epochs (the gradients of "
                 "single updates are not stored).")]  # fmt: skip
    if "clip_value" in limits:
        return [("clipping_possible", f"{setting.label} has clip_value {limits['clip_value']:g}; how often it cut is "
                 "not stored.")]  # fmt: skip
    return []


def _caution(code: str, sentence: str) -> dict[str, str]:
    return {"code": code, "sentence": sentence}
