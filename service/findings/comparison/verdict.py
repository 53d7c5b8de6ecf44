"""The verdict of a comparison: one plain sentence, which claims only what the simultaneous intervals show."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from service.analysis.estimate import Estimate
from service.analysis.simultaneous import MIN_SEEDS
from service.findings.comparison.judged import Judged
from service.findings.comparison.words import names, number, percent, plural, spoken_all, times

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
    found = replace(found, labels=spoken_all(found.labels))
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
    one, other = found.labels[best], found.labels[rival]
    size = _size(found, found.difference(best, rival))
    if is_negligible(found, found.difference(best, rival)):
        return f"{one} is ahead of {other} by a negligible difference ({size})."
    mine, theirs = _value(found, best), _value(found, rival)
    if found.measure.name == "epochs_to_target":
        return _sooner(found, best, rival, around)
    if mine == theirs:
        return f"{one} is ahead of {other} ({size})."
    noun = _NOUNS[found.measure.name]
    if len(found.labels) > 2:
        return f"{one} is best, with {noun} of {mine}; {other} follows with {theirs} ({size})."
    verb = _VERBS.get(found.measure.name, "ended at")
    return f"{one} {verb} {noun} of {mine}, {other}{' at' if verb == 'ended at' else ''} {theirs} ({size})."


def _sooner(found: Judged, best: int, rival: int, around: Circumstances) -> str:
    one, other, many = found.labels[best], found.labels[rival], len(found.labels) > 2
    loss, size = number(around.target or 0.0), _size(found, found.difference(best, rival))
    (hits, runs), (their_hits, their_runs) = around.reached[best], around.reached[rival]
    if hits == runs and their_hits == their_runs:
        steps = f"{_value(found, best)} {around.unit}s to a loss of {loss}"
        if many:
            return f"{one} is best, with {steps}; {other} follows with {_value(found, rival)} ({size})."
        return f"{one} needed {steps}, {other} {_value(found, rival)} ({size})."
    verb = "is best, reaching" if many else "reached"
    return f"{one} {verb} a loss of {loss} in {hits} of {runs} runs, {other} in {their_hits or 'none'} ({size})."


def _undecided(found: Judged, around: Circumstances) -> str:
    """Name the labels that may be best, and those that are not."""
    best = sorted(found.best, key=found.order().index)
    rest = [label for label in found.order() if label not in found.best]
    together = names([found.labels[label] for label in best])
    gaps = [found.difference(one, other) for at, one in enumerate(best) for other in best[at + 1 :]]
    seeds = plural(found.num_seeds, "seed")
    if all(gap.value == 0 and not gap.has_interval for gap in gaps):
        return f"{together} are equal in every run ({seeds}){worse(found, best, rest)}."
    if len(found.labels) == 2 and not gaps[0].has_interval:
        return f"{_beside(found, around)} in each of {seeds}: without spread, no interval."
    if all(is_negligible(found, gap) or gap.value == 0 for gap in gaps):
        return f"The differences of {together} are negligible ({seeds}){worse(found, best, rest)}."
    if len(found.labels) == 2:
        between = _size(found, gaps[0], signed=True)
        return f"{together} cannot be told apart ({between})."
    return f"{together} cannot be told apart as best ({seeds}){worse(found, best, rest)}."


def worse(found: Judged, best: list[int], rest: list[int]) -> str:
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
    at, sign = found.pairs.at(one, other)
    is_above = sign * found.pairs.difference_M[at] > 0
    return bool(found.pairs.differs_M[at]) and bool(is_above) != found.measure.larger_is_better


def _seen(found: Judged, around: Circumstances) -> str:
    """Say what was seen where there are too few seeds for an interval, and how many would do."""
    needed = 2 * MIN_SEEDS if around.is_tuned else MIN_SEEDS
    leader = found.labels[found.order()[0]]
    advice = f"Use at least {needed} seeds." if around.is_random else "Draw starts at random."
    if found.num_seeds > 1:
        ahead, judging = _wins(found, found.values_NK), "judging seeds" if around.is_tuned else "seeds"
        return f"{leader} was ahead in {ahead} of {found.num_seeds} {judging}: too few for a margin of error. {advice}"
    if len(found.by_start_TK) > 1:
        ahead, of = _wins(found, found.by_start_TK), "fixed starts" if around.starts_are_fixed else "starts"
        seen = f"{leader} was ahead from {ahead} of {len(found.by_start_TK)} {of}"
        return f"{seen}; one seed gives no margin of error. {advice}"
    runs = "One run each" if around.is_random else "One run each, nothing random"
    return f"{_beside(found, around)}. {runs}: no margin of error. {advice}"


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
    if found.measure.name == "test_accuracy":
        return f"{100 * value:.1f} %"
    return f"at most {number(value)}" if label in found.bounded else number(value)


def _size(found: Judged, gap: Estimate, *, signed: bool = False) -> str:
    """Write a difference with its interval: "3.6× fewer; 95 %: 2.9 to 4.4, 20 seeds"."""
    measure, seeds = found.measure, plural(found.num_seeds, "seed")
    sure = f"{100 * found.confidence:.12g} %"
    low, high = (gap.low, gap.high) if signed else sorted((abs(gap.low), abs(gap.high)))
    middle = gap.value if signed else abs(gap.value)
    lead = "difference " if signed else ""
    if measure.scale == "linear":
        scale, unit = (100, " points") if measure.name == "test_accuracy" else (1, "")
        word = "" if signed else " higher" if gap.value > 0 else " lower"
        ends = f"{number(scale * low)} to {number(scale * high)}"
        return f"{lead}{number(scale * middle)}{unit}{word}; {sure}: {ends}, {seeds}"
    word = "" if signed else " fewer" if measure.name == "epochs_to_target" else " lower"
    if signed and max(abs(low), abs(high)) >= np.log(2):
        return f"ratio {_ratio(middle)}; {sure}: {_ratio(low)} to {_ratio(high)}, {seeds}"
    if signed or np.exp(middle) < 1.1:
        shares = [np.expm1(end) if signed else -np.expm1(-end) for end in (middle, low, high)]
        ends = f"{percent(shares[1]).removesuffix(' %')} to {percent(shares[2])}"
        return f"{lead}{percent(shares[0])}{word}; {sure}: {ends}, {seeds}"
    middle_, low_, high_ = (times(float(np.exp(min(end, 700)))) for end in (middle, low, high))
    return f"{middle_}×{word}; {sure}: {low_} to {high_}, {seeds}"


def _ratio(logarithm: float) -> str:
    return number(float(np.exp(np.clip(logarithm, -700, 700))))


def is_negligible(found: Judged, gap: Estimate) -> bool:
    """Whether the whole interval lies within the margin below which a difference does not matter."""
    if found.measure.scale == "log":
        return gap.within(-NEGLIGIBLE_RATIO, NEGLIGIBLE_RATIO)
    margin = NEGLIGIBLE_ACCURACY
    if found.measure.name != "test_accuracy":
        if found.measure.untrained is None:
            return False
        margin = NEGLIGIBLE_GAIN * abs(found.measure.untrained - found.mean(found.order()[0]))
    return gap.within(-margin, margin)
