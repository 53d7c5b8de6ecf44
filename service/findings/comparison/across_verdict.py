"""The verdict of a comparison across jobs: one plain sentence. It claims what the intervals over problems show."""

from dataclasses import replace

import numpy as np

from service.analysis.estimate import Estimate
from service.analysis.simultaneous import MIN_SEEDS
from service.findings.comparison.judged import Judged
from service.findings.comparison.verdict import is_negligible, worse
from service.findings.comparison.words import names, number, plural, spoken_all, times


def verdict_across(found: Judged, *, any_solved: bool, partial: bool) -> str:
    """Write the sentence.

    Args:
        found: The labels judged by the epochs that they need; problems stand in the place of seeds.
        any_solved: Whether any run reaches any goal.
        partial: Whether runs are missing.
    """
    found = replace(found, labels=spoken_all(found.labels))
    problems, labels = plural(found.num_seeds, "problem"), found.labels
    if len(labels) == 1:
        return f"{labels[0]} is the only label that all jobs have; there is nothing to compare it with."
    if not any_solved:
        return f"No run reaches any target{' so far' if partial else ''} ({problems})."
    if partial:
        return f"So far {_seen(found)}; runs are still missing."
    if not found.has_intervals:
        few = f"{problems}: too few for a conclusion about others"
        return f"{few}. {_seen(found)}. Use at least {MIN_SEEDS} problems."
    if len(found.best) == 1:
        return _winner(found)
    return _undecided(found)


def fewest(found: Judged) -> list[list[int]]:
    """List for each problem the labels that need the fewest epochs."""
    least_N = found.values_NK.min(axis=1)
    return [np.flatnonzero(np.isclose(row, least, rtol=1e-12, atol=1e-12)).tolist()
            for row, least in zip(found.values_NK, least_N, strict=True)]  # fmt: skip


def _seen(found: Judged) -> str:
    """Count the problems on which the leading label needed the fewest epochs."""
    leader = found.order()[0]
    wins = sum(leader in labels for labels in fewest(found))
    alike = sum(len(labels) > 1 for labels in fewest(found) if leader in labels)
    tied = f" (tied on {alike})" if alike else ""
    return f"{found.labels[leader]} needed fewest epochs on {wins} of {found.num_seeds}{tied}"


def _winner(found: Judged) -> str:
    best = found.best[0]
    rival = next(label for label in found.order() if label != best)
    one, other = found.labels[best], found.labels[rival]
    size, problems = _size(found.difference(best, rival)), plural(found.num_seeds, "problem")
    if is_negligible(found, found.difference(best, rival)):
        return f"{one} is ahead of {other} by a negligible difference over {problems} ({size})."
    if len(found.labels) == 2:
        return f"{one} is better than {other} over {problems} ({size})."
    return f"{one} is best over {problems}; {other} follows ({size})."


def _undecided(found: Judged) -> str:
    """Name the labels that may be best, and those that are not."""
    best = sorted(found.best, key=found.order().index)
    rest = [label for label in found.order() if label not in found.best]
    together = names([found.labels[label] for label in best])
    problems = plural(found.num_seeds, "problem")
    gaps = [found.difference(one, other) for at, one in enumerate(best) for other in best[at + 1 :]]
    if all(gap.value == 0 and not gap.has_interval for gap in gaps):
        return f"{together} are equal on every one of {problems}{worse(found, best, rest)}."
    if len(found.labels) == 2:
        if not gaps[0].has_interval:
            return f"{_seen(found)} problems, by equal ratios: without spread, no interval."
        return f"{together} cannot be told apart over {problems} ({_ratios(gaps[0])})."
    return f"{together} cannot be told apart as best over {problems}{worse(found, best, rest)}."


def _size(gap: Estimate) -> str:
    """Write how many times fewer epochs the better label needs."""
    low, high = sorted((abs(gap.low), abs(gap.high)))
    middle, low, high = (min(end, 700) for end in (abs(gap.value), low, high))
    return f"{times(np.exp(middle))}× fewer epochs; 95 %: {times(np.exp(low))} to {times(np.exp(high))}"


def _ratios(gap: Estimate) -> str:
    middle, low, high = (number(float(np.exp(np.clip(end, -700, 700)))) for end in (gap.value, gap.low, gap.high))
    return f"ratio of epochs {middle}; 95 %: {low} to {high}"
