"""Warnings of a comparison, each with a code and a sentence."""

from typing import Any

import numpy as np

from service.analysis.simultaneous import MAX_NORMAL, MIN_SEEDS
from service.findings.comparison.choice import Choice
from service.findings.comparison.judged import Judged
from service.findings.comparison.measured import MAX_PATHS
from service.findings.comparison.table import Table
from service.findings.comparison.targets import Target
from service.findings.comparison.words import number, plural, spoken
from service.spec.job import JobSpec


def cautions(
    spec: JobSpec, table: Table, choice: Choice, found: Judged, target: Target | None, *, partial: bool
) -> list[dict[str, str]]:
    """List the limits of the answer; those of the target only where one loss is to be reached."""
    if not table.recorded_SN.any():
        return [caution("no_rows", "No run has recorded anything yet: there is nothing to compare.")]
    warnings: list[tuple[str, str]] = []
    if partial:
        warnings += _missing(spec, table, choice)
    warnings += _replicates(spec, table, choice, found)
    warnings += _grids(table, choice)
    if target is not None:
        warnings += _targets(table, choice, target)
    if table.diverged_SN[table.recorded_SN].all():
        warnings.append(("all_diverged", "Every run diverged: there is no winner."))
    for row in choice.rows:
        warnings += _clipping(spec, table, row)
    if table.paths and len(choice.rows) * len(table.run_N) > MAX_PATHS:
        num = max(1, MAX_PATHS // len(choice.rows))
        warnings.append(("paths_of_some", f"Paths are those of the first {num} runs of each setting."))
    return [caution(code, sentence) for code, sentence in warnings]


def _missing(spec: JobSpec, table: Table, choice: Choice) -> list[tuple[str, str]]:
    epochs = table.epochs_SN[table.recorded_SN]
    found = [("partial", "Not every run has trained to its end: this compares what is stored, runs of "
              f"{epochs.min():,} to {epochs.max():,} of {spec.epochs:,} epochs, and claims nothing.")]  # fmt: skip
    reached = [table.epochs_SN[row][table.recorded_SN[row]].max(initial=0) for row in choice.rows]
    if len(set(reached)) > 1:
        found.append(("unequal_budgets", "The settings have trained for different numbers of epochs so far."))
    return found


def _replicates(spec: JobSpec, table: Table, choice: Choice, judged: Judged) -> list[tuple[str, str]]:
    found = []
    num = table.runs.num_seeds
    if table.num_seeds == 1 < num:
        found.append(("seeds_change_nothing", f"All {num} seeds give the same histories (no noise, no random start): "
                      "they count as one."))  # fmt: skip
    elif table.num_seeds < num:
        found.append(("seeds_repeat", f"Only {table.num_seeds} of {num} seeds give different histories; equal ones "
                      "count once."))  # fmt: skip
    needed = 2 * MIN_SEEDS if choice.is_tuned else MIN_SEEDS
    if judged.num_seeds < MIN_SEEDS:
        half = ", because half of the seeds choose the settings" if choice.is_tuned and not choice.on_judged else ""
        found.append(("few_seeds", f"{plural(judged.num_seeds, 'distinct seed')} to judge by{half}: fewer than "
                      f"{MIN_SEEDS} give no interval. Use at least {needed} seeds."))  # fmt: skip
    elif judged.num_seeds <= MAX_NORMAL:
        found.append(("relies_on_normality", f"With {judged.num_seeds} seeds the intervals rely on roughly normal "
                      "differences."))  # fmt: skip
    if judged.measure.scale == "linear" and not judged.measure.declared and judged.measure.name != "test_accuracy":
        found.append(("linear_scale", "This loss has no known least value, so differences are taken without a "
                      "logarithm: skewed differences make the intervals too narrow."))  # fmt: skip
    if choice.on_judged:
        found.append(("chosen_on_judged_data", "Each label is represented by its best setting on the single distinct "
                      "seed that also judges it."))  # fmt: skip
    return found


def _grids(table: Table, choice: Choice) -> list[tuple[str, str]]:
    found = []
    nums = {str(settings.entry.label): settings.num for settings in table.runs.entries}
    if choice.is_tuned and len(set(nums.values())) > 1:
        counts = ", ".join(f"{spoken(label)} {num}" for label, num in nums.items())
        found.append(("unequal_grids", "The labels had unequal numbers of settings to choose from "
                      f"({counts}): the best of more looks better."))  # fmt: skip
    if choice.scores_S is None:
        return found
    for entry, settings in enumerate(table.runs.entries):
        rates = settings.values_of("lr")
        rows = table.rows_of(entry)
        if len(rates) < 2 or not np.isfinite(choice.scores_S[rows.start : rows.stop]).any():
            continue
        best = table.setting(choice.rows[entry]).optimizer["lr"]
        if best in (rates.min(), rates.max()):
            end = "smallest" if best == rates.min() else "largest"
            tried = "trials" if settings.entry.is_searched else "grid"
            found.append(("lr_at_grid_edge", f"The best learning rate of {spoken(str(settings.entry.label))}, "
                          f"{number(best)}, is the {end} of its {tried}: a better one may lie beyond."))  # fmt: skip
    return found


def _targets(table: Table, choice: Choice, target: Target) -> list[tuple[str, str]]:
    if target.loss is None:
        return [("no_target", "There is no finite target: no run reaches any of the usual ones.")]
    first = {label: choice.values(table, table.first_SN, row) for label, row in _rows(choice)}
    recorded = {label: choice.values(table, table.recorded_SN, row) for label, row in _rows(choice)}
    found = []
    missed = [label for label, epochs in first.items() if recorded[label].any() and not np.isfinite(epochs).any()]
    if missed:
        names = ", ".join(map(spoken, missed[:5])) + (f" and {len(missed) - 5} more" if len(missed) > 5 else "")
        found.append(("target_never_reached", f"No run of {names} reaches a loss of {number(target.loss)}."))
    some = [
        f"{spoken(label)} in {int((recorded[label] & ~np.isfinite(epochs)).sum())} of {int(recorded[label].sum())} runs"
        for label, epochs in first.items()
        if label not in missed and (recorded[label] & ~np.isfinite(epochs)).any()
    ]
    if some:
        names = ", ".join(some[:5]) + (f" and {len(some) - 5} more" if len(some) > 5 else "")
        found.append(("target_missed", f"The loss of {number(target.loss)} is missed: {names}. Misses count as all "
                      "epochs."))  # fmt: skip
    if any((epochs == 0).any() for epochs in first.values()):
        found.append(("target_met_at_start", f"Some runs start at a loss of {number(target.loss)} or better: they say "
                      "nothing about speed, and no ratio counts them."))  # fmt: skip
    return found


def _rows(choice: Choice) -> list[tuple[str, int]]:
    return list(zip(choice.labels, choice.rows, strict=True))


def _clipping(spec: JobSpec, table: Table, row: int) -> list[tuple[str, str]]:
    setting = table.setting(row)
    who = spoken(setting.label)
    limits: dict[str, Any] = spec.optimizers[setting.entry].clipping()
    if not limits:
        return []
    shares = table.clipped_SN[row][table.recorded_SN[row]] if table.clipped_SN.size else np.empty(0)
    if "clip_norm" in limits and len(shares) and np.mean(shares) > 0.5:
        return [("clipping_active", f"{who} was clipped most of the time: the full gradient was longer than "
                 f"clip_norm {limits['clip_norm']:g} in {np.mean(shares):.0%} of its recorded epochs (the gradients of "
                 "single updates are not stored).")]  # fmt: skip
    if "clip_value" in limits:
        return [("clipping_possible", f"{who} has clip_value {limits['clip_value']:g}; how often it cut is "
                 "not stored.")]  # fmt: skip
    return []


def caution(code: str, sentence: str) -> dict[str, str]:
    """Give a warning as it stands in an answer."""
    return {"code": code, "sentence": sentence}
