"""Labels judged by one criterion: all pairs, ranks, and the set of the best, from the same intervals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.analysis.estimate import Estimate
from service.analysis.robust import floors
from service.analysis.sequence_pairs import sequence_pairs
from service.analysis.simultaneous import CONFIDENCE, MIN_SEEDS, Pairs, Ranks, compare_pairs, rank_sets
from service.analysis.speed import SpeedUp, speed_up
from service.findings.comparison.choice import Choice
from service.findings.comparison.criterion import Measure, run_values, untrained
from service.findings.comparison.table import Table
from service.spec.job import JobSpec

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """K labels on N seeds.

    Attributes:
        labels: The labels that have rows.
        positions: Their positions among all labels of the comparison.
        values_NK: Mean over starts of the criterion, on its scale, by seed and label.
        by_start_TK: Mean over seeds, by start and label.
        claims: Whether intervals may be concluded from; False while runs are missing.
        confidence: Probability that all intervals of pairs hold at once.
        bounded: The labels of which a value was too small for the scale and counts as its least one: their means are
            upper bounds.
    """

    measure: Measure
    labels: list[str]
    positions: list[int]
    values_NK: Floats
    by_start_TK: Floats
    pairs: Pairs
    ranks: Ranks
    claims: bool
    confidence: float
    bounded: frozenset[int] = frozenset()

    @property
    def num_seeds(self) -> int:
        """Count the seeds that judge."""
        return len(self.values_NK)

    @property
    def has_intervals(self) -> bool:
        """Whether there are enough seeds, all of them complete."""
        return self.claims and self.num_seeds >= MIN_SEEDS

    @property
    def best(self) -> list[int]:
        """The labels that cannot be told from the best one."""
        return self.ranks.best

    def mean(self, label: int) -> float:
        """Give the mean of a label in the unit of the criterion; a geometric mean on a logarithmic scale."""
        return self.measure.natural(float(self.values_NK[:, label].mean())) if self.num_seeds else float("nan")

    def order(self) -> list[int]:
        """Sort the labels by their means, best first."""
        means = self.values_NK.mean(axis=0) if self.num_seeds else np.zeros(len(self.labels))
        order: list[int] = np.argsort(-means if self.measure.larger_is_better else means, kind="stable").tolist()
        return order

    def seeds_needed(self, pair: int) -> int | None:
        """Count the further seeds at which the difference of a pair would be found; 0 where it has been."""
        if self.pairs.differs_M[pair]:
            return 0
        needed = float(self.pairs.needed_M[pair])
        return None if needed != needed else max(1, int(needed) - self.num_seeds)

    def seeds_to_single_best(self) -> int | None:
        """Count the further seeds at which the label with the best mean would be better than every other."""
        if len(self.labels) < 2 or not self.has_intervals:
            return None
        leader = self.order()[0]
        needed = [self.seeds_needed(self.pairs.at(leader, at)[0]) for at in range(len(self.labels)) if at != leader]
        return None if None in needed else max(one for one in needed if one is not None)

    def difference(self, one: int, other: int) -> Estimate:
        """Give the difference one − other with its simultaneous interval."""
        at, sign = self.pairs.at(one, other)
        ends = sorted((sign * self.pairs.low_M[at], sign * self.pairs.high_M[at]))
        return Estimate(sign * float(self.pairs.difference_M[at]), float(ends[0]), float(ends[1]))


def judge(
    spec: JobSpec,
    table: Table,
    choice: Choice,
    measure: Measure,
    *,
    partial: bool,
    looks: Sequence[int] | None = None,
    confidence: float = CONFIDENCE,
) -> Judged:
    """Compare the chosen settings by a criterion, on the seeds that judge and that all of them have.

    ``looks`` and ``confidence`` are those of a job that runs until it is sure, see `judged`.
    """
    there = [at for at, row in enumerate(choice.rows) if choice.values(table, table.recorded_SN, row).any()]
    rows = [choice.rows[at] for at in there]
    values_KNT = run_values(spec, table, measure, rows)[:, choice.judging_J] if rows else np.empty((0, 0, 1))
    whole_N = ~np.isnan(values_KNT).any(axis=(0, 2)) if rows else np.zeros(0, dtype=bool)
    values_KNT = values_KNT[:, whole_N] if rows else values_KNT
    labels = [choice.labels[at] for at in there]
    found = judged(measure, labels, values_KNT, claims=not partial, positions=there, looks=looks, confidence=confidence)
    if measure.scale == "linear" or measure.name == "epochs_to_target":
        return found
    least_T = np.log(floors(untrained(spec, table, measure.name), measure.least))
    return replace(found, bounded=frozenset(np.flatnonzero((values_KNT <= least_T).any(axis=(1, 2))).tolist()))


def judged(
    measure: Measure,
    labels: list[str],
    values_KNT: Floats,
    *,
    claims: bool = True,
    positions: list[int] | None = None,
    looks: Sequence[int] | None = None,
    confidence: float = CONFIDENCE,
) -> Judged:
    """Compare labels by their values on the scale of the criterion, [labels, seeds, starts].

    Args:
        measure: The criterion.
        labels: Their names.
        values_KNT: A finite value of every run, seeds in order.
        claims: Whether to give intervals.
        positions: Positions of the labels among all of the comparison.
        looks: Numbers of seeds at which a job that runs until it is sure was looked at; the intervals then hold at
            every look. None: the number of seeds was fixed in advance.
        confidence: Probability that all intervals hold at once.
    """
    values_NK = values_KNT.mean(axis=2).T
    if looks is None:
        pairs = compare_pairs(values_NK, confidence, has_intervals=claims)
    else:
        pairs = sequence_pairs(values_NK, looks, confidence, has_intervals=claims)
    return Judged(
        measure=measure,
        labels=labels,
        positions=list(range(len(labels))) if positions is None else positions,
        values_NK=values_NK,
        by_start_TK=values_KNT.mean(axis=1).T if values_KNT.shape[1] else np.empty((0, len(labels))),
        pairs=pairs,
        ranks=rank_sets(pairs, larger_is_better=measure.larger_is_better),
        claims=claims,
        confidence=confidence,
    )


def describe_pair(found: Judged, one: int, other: int) -> dict[str, Any]:
    """Describe the comparison of a label with another one, as one − other."""
    at, sign = found.pairs.at(one, other)
    difference = found.difference(one, other)
    ratio = found.measure.ratio(difference)
    shares = found.pairs.smaller_M
    below = [float(part[at]) for part in (shares.value_M, shares.low_M, shares.high_M)]
    if (sign < 0) != found.measure.larger_is_better:
        below = [1 - below[0], 1 - below[2], 1 - below[1]]
    return {
        "seeds": found.num_seeds,
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
        "p": float(found.pairs.p_M[at]),
        "differs": bool(found.pairs.differs_M[at]),
        "seeds_needed": found.seeds_needed(at),
        "ratio": None if ratio is None else ratio.value,
        "ratio_low": None if ratio is None else ratio.low,
        "ratio_high": None if ratio is None else ratio.high,
        "median_difference": sign * float(found.pairs.median_M[at]),
        "probability_better": dict(zip(("value", "low", "high"), below, strict=True)),
        "over_starts": _over_starts(found, one, other),
    }


def describe_pairs(found: Judged) -> list[dict[str, Any]]:
    """Describe all pairs, each label before all later ones."""
    num = len(found.labels)
    return [
        {"a": found.labels[one], "b": found.labels[other], **describe_pair(found, one, other)}
        for one in range(num)
        for other in range(one + 1, num)
    ]


def describe_ranks(found: Judged) -> list[dict[str, Any]]:
    """Describe the rank of every label, in the order of their means, best first."""
    return [
        {
            "label": found.labels[at],
            "low": int(found.ranks.low_K[at]),
            "high": int(found.ranks.high_K[at]),
            "value": found.mean(at),
        }
        for at in found.order()
    ]


def describe_speed_up(
    spec: JobSpec, table: Table, choice: Choice, epochs_SN: Floats, one: int, other: int
) -> SpeedUp:  # fmt: skip
    """Compare the epochs of two labels, with intervals that hold for all pairs of labels at once."""
    num = len(choice.rows)
    alpha = (1 - CONFIDENCE) / max(1, num * (num - 1) // 2)
    mine, theirs = choice.rows[one], choice.rows[other]
    both_NT = choice.values(table, table.recorded_SN, mine) & choice.values(table, table.recorded_SN, theirs)
    whole_N = both_NT.all(axis=1)
    this_NT, other_NT = (choice.values(table, epochs_SN, row)[whole_N] for row in (mine, theirs))
    return speed_up(this_NT, other_NT, spec.epochs, alpha)


def _over_starts(found: Judged, one: int, other: int) -> dict[str, Any] | None:
    """Count the fixed starts from which each is better, and give the spread of their difference."""
    if len(found.by_start_TK) < 2:
        return None
    apart_T = found.by_start_TK[:, one] - found.by_start_TK[:, other]
    better_T = apart_T > 0 if found.measure.larger_is_better else apart_T < 0
    equal = int((apart_T == 0).sum())
    better = int(better_T.sum())
    return {
        "better": better,
        "worse": len(apart_T) - better - equal,
        "equal": equal,
        "spread": float(apart_T.std(ddof=1)),
    }
