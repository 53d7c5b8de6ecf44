"""The verdict of a comparison: one plain sentence, which claims only what the simultaneous intervals show."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from service.analysis.estimate import Estimate
from service.analysis.simultaneous import MIN_SEEDS
from service.findings.comparison.judged import Judged
from service.findings.comparison.words import names, number, percent, plural, times

# Differences within these limits are called negligible: a ratio of 1 %, half a percentage point of accuracy, 1 % of
# what the best label gains on the untrained start.
NEGLIGIBLE_RATIO = 0.01
NEGLIGIBLE_ACCURACY = 0.005
NEGLIGIBLE_GAIN = 0.01

_NOUNS = {
    "final_loss": "a loss",
    "test_loss": "a test loss",
    "best_loss": "a best loss",
    "loss_area": "a mean loss",
    "test_accuracy": "a test accuracy",
}
_VERBS = {"best_loss": "reached", "loss_area": "had", "test_accuracy": "reached"}


@dataclass(frozen=True)
class Circumstances:
    """What a verdict needs besides the judged labels.

    Attributes:
        is_partial: Whether runs are missing.
        is_random: Whether seeds change anything.
        starts_are_fixed: Whether the starts are the same for all seeds.
        is_tuned: Whether half of the seeds chose the settings.
        all_diverged: Whether every run diverged.
        smallest_lr: Smallest learning rate of the job.
        unit: "step" or "epoch".
        target: The loss to reach.
        reached: For each label the number of runs that reach the target, and of all runs.
    """

    is_partial: bool = False
    is_random: bool = True
    starts_are_fixed: bool = True
    is_tuned: bool = False
    all_diverged: bool = False
    smallest_lr: float = 0.0
    unit: str = "epoch"
    target: float | None = None
    reached: Sequence[tuple[int, int]] = field(default_factory=tuple)


def verdict(found: Judged, around: Circumstances) -> str:
    """Write the sentence."""
    labels = found.labels
    if not labels or not found.num_seeds:
        return "No run has recorded anything yet." if not labels else "No seed is complete for all labels yet."
    if around.all_diverged:
        who = labels[0] if len(labels) == 1 else "Both" if len(labels) == 2 else "All"
        return f"{who} diverged. Try learning rates below {number(around.smallest_lr)}."
    if found.measure.name == "epochs_to_target" and around.target is None:
        return "There is no target that any run reaches."
    if len(labels) == 1:
        return f"{_standing(found, 0, around)}; there is nothing to compare it with."
    if around.is_partial:
        return f"So far {_beside(found, around)}; runs are still missing."
    if not found.has_intervals:
        return _seen(found, around)
    if len(found.best) == 1:
        return _winner(found, around)
    return _undecided(found, around)


def _winner(found: Judged, around: Circumstances) -> str:
    """Name the best label, and compare it with the next one."""
    best = found.best[0]
    rival = next(label for label in found.order() if label != best)
    lead = "" if len(found.labels) == 2 else "is best: it "
    subject = f"{found.labels[best]} {lead}"
    versus = found.labels[rival] if len(found.labels) == 2 else f"{found.labels[rival]}, the next,"
    difference = found.difference(best, rival)
    if _is_negligible(found, difference):
        margin = _size(found, difference, around, _seeds(found))
        return f"{subject}is ahead of {versus.rstrip(',')} by a negligible difference ({margin})."
    if found.measure.name == "epochs_to_target":
        return _sooner(found, best, rival, subject, versus, around)
    verb, noun = _VERBS.get(found.measure.name, "ended at"), _NOUNS[found.measure.name]
    at = " at" if verb == "ended at" else ""
    mine, theirs = _value(found, best), _value(found, rival)
    if mine == theirs:
        return f"{subject}is ahead of {versus.rstrip(',')} ({_size(found, difference, around, _seeds(found))})."
    size = _size(found, difference, around, _seeds(found))
    return f"{subject}{verb} {noun} of {mine}, {versus}{at} {theirs} ({size})."


def _sooner(found: Judged, best: int, rival: int, subject: str, versus: str, around: Circumstances) -> str:
    size = _size(found, found.difference(best, rival), around, _seeds(found))
    loss = number(around.target or 0.0)
    (hits, runs), (their_hits, their_runs) = around.reached[best], around.reached[rival]
    if hits == runs and their_hits == their_runs:
        mine, theirs = _value(found, best), _value(found, rival)
        return f"{subject}needed {mine} {around.unit}s to a loss of {loss}, {versus} {theirs} ({size})."
    theirs = "none" if their_hits == 0 else str(their_hits)
    return f"{subject}reached a loss of {loss} in {hits} of {runs} runs, {versus} in {theirs} of {their_runs} ({size})."


def _undecided(found: Judged, around: Circumstances) -> str:
    """Name the labels that may be best, and those that are not."""
    best = sorted(found.best, key=found.order().index)
    rest = [label for label in found.order() if label not in found.best]
    together = names([found.labels[label] for label in best])
    gaps = [found.difference(one, other) for at, one in enumerate(best) for other in best[at + 1 :]]
    if all(gap.value == 0 and not gap.has_interval for gap in gaps):
        return f"{together} are equal in every run ({_seeds(found)}){_worse(found, best, rest)}."
    if len(found.labels) == 2 and not gaps[0].has_interval:
        return f"{_beside(found, around)} in each of {plural(found.num_seeds, 'seed')}: without spread, no interval."
    if all(_is_negligible(found, gap) or gap.value == 0 for gap in gaps):
        return f"The differences of {together} are negligible ({_seeds(found)}){_worse(found, best, rest)}."
    if len(found.labels) == 2:
        between = _size(found, gaps[0], around, _seeds(found), signed=True)
        return f"{together} cannot be told apart ({between})."
    return f"{together} cannot be told apart as best ({_seeds(found)}){_worse(found, best, rest)}."


def _worse(found: Judged, best: list[int], rest: list[int]) -> str:
    """Say how the other labels stand to those that may be best."""
    if not rest:
        return ""
    better = {one: [other for other in best if _is_worse(found, one, other)] for one in rest}
    who, are = names([found.labels[one] for one in rest]), "is" if len(rest) == 1 else "are"
    if all(len(of) == len(best) for of in better.values()):
        return f"; {who} {are} worse than {'each' if len(best) > 1 else found.labels[best[0]]}"
    if len(rest) == 1 and better[rest[0]]:
        return f"; {who} is worse than {names([found.labels[other] for other in better[rest[0]]])}"
    return f"; {who} {are} not best"


def _is_worse(found: Judged, one: int, other: int) -> bool:
    gap = found.difference(one, other)
    return gap.high < 0 if found.measure.larger_is_better else gap.low > 0


def _seen(found: Judged, around: Circumstances) -> str:
    """Say what was seen where there are too few seeds for an interval, and how many would do."""
    needed = 2 * MIN_SEEDS if around.is_tuned else MIN_SEEDS
    leader = found.labels[found.order()[0]]
    advice = f"Use at least {needed} seeds."
    if not around.is_random:
        advice = f"Nothing here is random: draw starts at random for at least {needed} seeds."
    if found.num_seeds > 1:
        ahead, judging = _wins(found, found.values_NK), "judging seeds" if around.is_tuned else "seeds"
        seen = f"{leader} was ahead in {ahead} of {found.num_seeds} {judging}: too few for a margin of error."
    elif len(found.by_start_TK) > 1:
        ahead, of = _wins(found, found.by_start_TK), "fixed starts" if around.starts_are_fixed else "starts"
        seen = f"{leader} was ahead from {ahead} of {len(found.by_start_TK)} {of}: one seed gives no margin of error."
    else:
        seen = f"{_beside(found, around)}. One run each: no margin of error."
    return f"{seen} {advice}"


def _wins(found: Judged, values_NK: np.ndarray) -> int:
    """Count in how many rows the leading label is the best one, alone or not."""
    leader = found.order()[0]
    best_N = values_NK.max(axis=1) if found.measure.larger_is_better else values_NK.min(axis=1)
    return int((values_NK[:, leader] == best_N).sum())


def _beside(found: Judged, around: Circumstances) -> str:
    """Put the leading label and the next one side by side, without a claim."""
    first, second, *_ = found.order()
    mine, theirs = _value(found, first), _value(found, second)
    if found.measure.name == "epochs_to_target":
        loss = number(around.target or 0.0)
        return (
            f"{found.labels[first]} needed {mine} {around.unit}s to a loss of {loss}, {found.labels[second]} {theirs}"
        )
    if mine == theirs:
        return (
            f"{found.labels[first]} and {found.labels[second]} ended alike, at {_NOUNS[found.measure.name]} of {mine}"
        )
    return f"{_standing(found, first, around)}, {found.labels[second]} at {theirs}"


def _standing(found: Judged, label: int, around: Circumstances) -> str:
    if found.measure.name == "epochs_to_target":
        return f"{found.labels[label]} needed {_value(found, label)} {around.unit}s"
    return f"{found.labels[label]} ended at {_NOUNS[found.measure.name]} of {_value(found, label)}"


def _value(found: Judged, label: int) -> str:
    value = found.mean(label)
    return f"{100 * value:.1f} %" if found.measure.name == "test_accuracy" else number(value)


def _seeds(found: Judged) -> str:
    starts = len(found.by_start_TK)
    seeds = plural(found.num_seeds, "seed")
    return f"{seeds}, {starts} starts each" if starts > 1 else seeds


def _size(found: Judged, gap: Estimate, around: Circumstances, seeds: str, *, signed: bool = False) -> str:
    """Write a difference with its interval: "3.6× fewer; 95 %: 2.9 to 4.4, 20 seeds"."""
    measure = found.measure
    if measure.scale == "linear":
        scale, unit = (100, " points") if measure.name == "test_accuracy" else (1, "")
        word = "" if signed else " higher" if gap.value > 0 else " lower"
        ends = (gap.low, gap.high) if signed else sorted((abs(gap.low), abs(gap.high)))
        value = gap.value if signed else abs(gap.value)
        text = f"{'difference ' if signed else ''}{number(scale * value)}{unit}{word}"
        return f"{text}; 95 %: {number(scale * ends[0])} to {number(scale * ends[1])}, {seeds}"
    if signed:
        ends = tuple(np.expm1([gap.low, gap.high]))
        if max(abs(ends[0]), abs(ends[1])) < 1:
            return f"difference {percent(np.expm1(gap.value))}; 95 %: {percent(ends[0])} to {percent(ends[1])}, {seeds}"
        return f"ratio {_ratio(gap.value)}; 95 %: {_ratio(gap.low)} to {_ratio(gap.high)}, {seeds}"
    word = f"fewer {around.unit}s" if measure.name == "epochs_to_target" else "lower"
    low, high = sorted((abs(gap.low), abs(gap.high)))
    if np.exp(abs(gap.value)) < 1.1:
        shares = [percent(-np.expm1(-end)) for end in (abs(gap.value), low, high)]
        return f"{shares[0]} {word}; 95 %: {shares[1]} to {shares[2]}, {seeds}"
    middle, lowest, highest = (times(float(np.exp(min(end, 700)))) for end in (abs(gap.value), low, high))
    return f"{middle}× {word}; 95 %: {lowest} to {highest}, {seeds}"


def _ratio(logarithm: float) -> str:
    return number(float(np.exp(np.clip(logarithm, -700, 700))))


def _is_negligible(found: Judged, gap: Estimate) -> bool:
    """Whether the whole interval lies within the margin below which a difference does not matter."""
    if found.measure.scale == "log":
        return gap.within(-NEGLIGIBLE_RATIO, NEGLIGIBLE_RATIO)
    margin = NEGLIGIBLE_ACCURACY
    if found.measure.name != "test_accuracy":
        if found.measure.untrained is None:
            return False
        margin = NEGLIGIBLE_GAIN * abs(found.measure.untrained - found.mean(found.order()[0]))
    return gap.within(-margin, margin)
