"""Verdicts of a job that runs until it is sure: better, worse or equal, from a confidence sequence.

The decision is a function of the values alone: looks at the same values give the same verdicts, whether the job ran
through, was interrupted or is trained again.

Legend: N seeds, L looks, K labels, M differences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.analysis.sequence_pairs import differences_at
from service.analysis.sequences import prefix_moments

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Verdict = Literal["better", "worse", "equal", "undecided"]


@dataclass(frozen=True)
class Rule:
    """When a label has a verdict.

    Attributes:
        margin: Largest difference that counts as equal. Absolute: in the unit of the values, on a logarithmic scale a
            difference of natural logarithms. Relative: a share of the baseline's mean on a linear scale; on a
            logarithmic one neither label is more than this share above the other, |difference| ≤ log(1 + margin).
        is_relative: Whether the margin is relative.
        confidence: Probability that all verdicts are right.
        against: Whether labels are compared with the baseline, or each with the best of the others.
        first_look: Seeds before the first look. Verdicts need six seeds, and usually more.
        batch: Seeds between looks.
        max_seeds: Seeds at the last look, whether or not it ends a batch.
        former_ends: Numbers of seeds at which the job ended before it was continued; they are looks too.
        looks: Numbers of seeds at the looks, where they do not follow from the other numbers because some of the
            trained seeds do not count.
    """

    margin: float
    is_relative: bool
    confidence: float
    against: Literal["baseline", "best"]
    first_look: int
    batch: int
    max_seeds: int
    former_ends: tuple[int, ...] = ()
    looks: tuple[int, ...] | None = None


@dataclass(frozen=True)
class LabelDecision:
    """The verdict of a label.

    Attributes:
        label: The label.
        verdict: What is known of it.
        low: Lower end of the interval of label − baseline (or label − best of the others) at the verdict, or at the
            last look of an undecided label, in the unit of the values; None where there is none yet.
        high: Upper end.
        seeds: Number of seeds at that look; 0 before the first.
    """

    label: str
    verdict: Verdict
    low: float | None
    high: float | None
    seeds: int


@dataclass(frozen=True)
class Decision:
    """The verdicts of all labels; against a baseline, of all labels but that.

    Attributes:
        status: ``decided`` if every label has a verdict, ``undecided`` if one has none at ``max_seeds``, else ``open``.
        seeds_used: Number of seeds at the look that decided, or at the last one; later seeds count for nothing.
        labels: In the order of the values.
    """

    status: Literal["open", "decided", "undecided"]
    seeds_used: int
    labels: tuple[LabelDecision, ...]


def looks_of(rule: Rule, num: int) -> Integers:
    """Give the numbers of seeds, in order, at which the first ``num`` seeds are looked at."""
    if rule.looks is not None:
        looks = np.unique(rule.looks).astype(np.int64)
    else:
        grid = np.arange(rule.first_look, rule.max_seeds + 1, rule.batch)
        looks = np.union1d(grid, [*rule.former_ends, rule.max_seeds]).astype(np.int64)
    return looks[(looks <= min(num, rule.max_seeds)) & (looks > 0)]


def decide(
    values: Mapping[str, Floats],
    rule: Rule,
    *,
    baseline: str,
    scale: Literal["log", "linear"],
    maximize: bool = False,
) -> Decision:
    """Give every label its first verdict.

    At each look the interval of a difference is that of a confidence sequence, with α = 1 − confidence divided by the
    number of differences: K − 1 against the baseline, all K(K − 1)/2 pairs against the best. It is intersected with
    those of earlier looks. The interval of a label's difference to the best of the others reaches from the largest
    lower to the largest upper end of its differences to each of them (Hsu, Multiple Comparisons, 1996).

    - ``equal``: the interval lies inside ±margin. A relative margin on a linear scale takes the baseline's mean up to
      the look.
    - ``better``, ``worse``: the interval excludes 0 and is not inside the margin.

    Args:
        values: Finite values [N] of each label, the same seeds in the same order, as the comparison judges them: capped
            at the untrained start, already logarithms on a logarithmic scale. A value must not depend on later seeds,
            otherwise earlier looks change; so the untrained start is that of the first seeds.
        rule: When a label has a verdict.
        baseline: Label that the others are compared with, and that a relative margin refers to.
        scale: Scale of the values.
        maximize: Whether a larger value is better.

    Raises:
        ValueError: Fewer than two labels, an unknown baseline, labels of unequal length, or a value that is not finite.
    """
    names = list(values)
    if len(names) < 2 or baseline not in values:
        raise ValueError(f"a decision needs two labels and their baseline; got {', '.join(names)} and {baseline}")
    values_NK = np.stack([np.asarray(values[name], dtype=np.float64) for name in names], axis=1)
    if not np.isfinite(values_NK).all():
        raise ValueError("values must be finite: replace those of diverged runs by the untrained start")
    base = names.index(baseline)
    looks = looks_of(rule, len(values_NK))
    # Smaller is better from here on.
    sign = -1.0 if maximize else 1.0
    if rule.against == "baseline":
        judged = [at for at in range(len(names)) if at != base]
        low_LJ, high_LJ = _to_baseline(sign * values_NK, base, judged, looks, rule.confidence)
    else:
        judged = list(range(len(names)))
        low_LJ, high_LJ = _to_best(sign * values_NK, looks, rule.confidence)
    margin_L = _margins(values_NK[:, base], rule, scale, looks)
    labels = tuple(
        _first_verdict(names[at], looks, low_LJ[:, place], high_LJ[:, place], margin_L, sign)
        for place, at in enumerate(judged)
    )
    if all(one.verdict != "undecided" for one in labels):
        return Decision("decided", max(one.seeds for one in labels), labels)
    used = int(looks[-1]) if len(looks) else 0
    return Decision("undecided" if used >= rule.max_seeds else "open", used, labels)


def _to_baseline(
    values_NK: Floats, base: int, judged: list[int], looks: Integers, confidence: float
) -> tuple[Floats, Floats]:
    second_M = np.full(len(judged), base)
    found = differences_at(values_NK, np.array(judged), second_M, looks, (1 - confidence) / len(judged))
    return found.low_LM, found.high_LM


def _to_best(values_NK: Floats, looks: Integers, confidence: float) -> tuple[Floats, Floats]:
    """Give the intervals of each label's difference to the smallest of the others."""
    labels = values_NK.shape[1]
    first_M, second_M = np.triu_indices(labels, 1)
    found = differences_at(values_NK, first_M, second_M, looks, (1 - confidence) / len(first_M))
    low_LK, high_LK = np.empty((len(looks), labels)), np.empty((len(looks), labels))
    for at in range(labels):
        mine_M, theirs_M = first_M == at, second_M == at
        low_LK[:, at] = np.hstack([found.low_LM[:, mine_M], -found.high_LM[:, theirs_M]]).max(axis=1)
        high_LK[:, at] = np.hstack([found.high_LM[:, mine_M], -found.low_LM[:, theirs_M]]).max(axis=1)
    return low_LK, high_LK


def _margins(base_N: Floats, rule: Rule, scale: Literal["log", "linear"], looks: Integers) -> Floats:
    """Give the margin at each look, in the unit of the values."""
    if not rule.is_relative:
        return np.full(len(looks), rule.margin)
    if scale == "log":
        return np.full(len(looks), np.log1p(rule.margin))
    if not len(looks):
        return np.empty(0)
    return rule.margin * np.abs(prefix_moments(base_N)[0][looks - 1])


def _first_verdict(
    label: str, looks: Integers, low_L: Floats, high_L: Floats, margin_L: Floats, sign: float
) -> LabelDecision:
    equal_L = (low_L >= -margin_L) & (high_L <= margin_L)
    sure_L = np.flatnonzero(equal_L | (low_L > 0) | (high_L < 0))
    if not len(looks):
        return LabelDecision(label, "undecided", None, None, 0)
    at = int(sure_L[0]) if len(sure_L) else len(looks) - 1
    verdict: Verdict = "undecided"
    if len(sure_L):
        verdict = "equal" if equal_L[at] else "worse" if low_L[at] > 0 else "better"
    low, high = sorted((sign * float(low_L[at]), sign * float(high_L[at])))
    return LabelDecision(
        label, verdict, low if np.isfinite(low) else None, high if np.isfinite(high) else None, int(looks[at])
    )
