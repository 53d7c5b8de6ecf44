"""Wrong verdicts of jobs that are looked at 50 times: labels that are equal, and labels exactly a margin apart."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from benchmarks.inference.tables import NUM_DRAWS
from service.analysis.decisions import Rule, decide
from service.analysis.sequences import prefix_moments, share_sequence

Floats = NDArray[np.float64]
# Draws the values of labels, [seeds, labels], of equal means.
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]

BATCH = 10
MOST = 500
# A first look for labels of unlike, skewed distributions.
LATE = 100
LABELS = (2, 5)
# Where a diverged run counts, in standard deviations above the mean of the others.
CAP = 5.0


def _diverging(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.where(rng.random(shape) < 0.1, CAP, np.minimum(rng.normal(size=shape), CAP))


def _one_diverging(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Draw labels of mean 0, of which only the first diverges, and is ahead of the others where it does not."""
    values_NK = rng.normal(size=shape)
    values_NK[:, 0] = np.where(rng.random(shape[0]) < 0.1, 0.9 * CAP, values_NK[:, 0] - 0.1 * CAP)
    return values_NK


def _one_skewed(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Draw labels of mean 0, of which only the first varies much, and is lognormal."""
    values_NK = 0.1 * rng.normal(size=shape)
    values_NK[:, 0] = rng.lognormal(size=shape[0]) - np.exp(0.5)
    return values_NK


# Labels of one distribution.
EQUAL: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "lognormal": lambda rng, shape: rng.lognormal(size=shape),
    "Cauchy": lambda rng, shape: rng.standard_cauchy(shape),
    "ties": lambda rng, shape: rng.integers(0, 3, shape).astype(np.float64),
    "10 % diverged": _diverging,
}
# Labels of equal means, but of different distributions.
UNLIKE: dict[str, Draw] = {"10 % of one label diverged": _one_diverging, "one label skewed": _one_skewed}


def measure_nulls() -> dict[str, Any]:
    """Count draws in which a label is ever said to be better or worse, also by intervals of a fixed number of seeds."""
    figures: dict[str, Any] = {}
    for name, draw in {**EQUAL, **UNLIKE}.items():
        for labels in LABELS:
            # Two labels make one pair, so that both rules are the same.
            for against in ("baseline", "best") if labels > 2 else ("baseline",):
                rng = np.random.default_rng(labels)
                false = sum(_is_false(draw(rng, (MOST, labels)), _rule(0.0, against)) for _ in range(NUM_DRAWS))
                figures[f"null, {name}, {labels} labels, against the {against}"] = false / NUM_DRAWS
        figures[f"null, {name}, 2 labels, Student's interval at every look"] = _by_student(draw)
    rng, late = np.random.default_rng(2), replace(_rule(0.0), first_look=LATE)
    false = sum(_is_false(_one_skewed(rng, (MOST, 2)), late) for _ in range(NUM_DRAWS))
    figures[f"null, one label skewed, 2 labels, first look at {LATE} seeds"] = false / NUM_DRAWS
    return figures


def _is_false(values_NK: Floats, rule: Rule) -> bool:
    values = {str(at): values_N for at, values_N in enumerate(values_NK.T)}
    found = decide(values, rule, baseline="0", scale="linear")
    return any(one.verdict in ("better", "worse") for one in found.labels)


def _by_student(draw: Draw) -> float:
    """Count draws in which Student's interval of the difference of two labels excludes 0 at any look."""
    rng, looks = np.random.default_rng(2), np.arange(BATCH, MOST + 1, BATCH)
    apart_ND = np.stack([np.subtract(*draw(rng, (MOST, 2)).T) for _ in range(NUM_DRAWS)], axis=1)
    mean_LD, deviation_LD = (one[looks - 1] for one in prefix_moments(apart_ND))
    half_LD = -stdtrit(looks - 1, 0.025)[:, None] * deviation_LD / np.sqrt(looks)[:, None]
    return float((np.abs(mean_LD) > half_LD).any(axis=0).mean())


def measure_shares() -> dict[str, Any]:
    """Count draws in which the interval of a probability ever misses it."""
    figures: dict[str, Any] = {}
    for share in (0.5, 0.9):
        for ties in (0.0, 0.2):
            rng = np.random.default_rng([int(10 * share), int(10 * ties)])
            win = share - ties / 2
            wins_ND, ties_ND = (np.cumsum(one, axis=0) for one in _outcomes(rng.random((MOST, NUM_DRAWS)), win, ties))
            missed_D = np.zeros(NUM_DRAWS, dtype=bool)
            for look in range(BATCH, MOST + 1, BATCH):
                found = share_sequence(wins_ND[look - 1], ties_ND[look - 1], look, 0.05)
                missed_D |= (found.low_M > share) | (found.high_M < share)
            figures[f"probability {share:g}, {ties:.0%} ties: missed"] = float(missed_D.mean())
    return figures


def _outcomes(uniform: Floats, win: float, ties: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    return uniform < win, (uniform >= win) & (uniform < win + ties)


def measure_margins() -> dict[str, Any]:
    """Count draws in which the last label is exactly a margin above the others, and is called equal to them."""
    figures: dict[str, Any] = {}
    for name, draw in EQUAL.items():
        if name == "Cauchy":
            continue
        for labels in LABELS:
            rng = np.random.default_rng(labels)
            deviation = float(np.std(np.diff(draw(rng, (100_000, 2)))))
            wrong = 0
            for _ in range(NUM_DRAWS):
                values_NK = draw(rng, (MOST, labels))
                values_NK[:, -1] += deviation / 2
                values = {str(at): values_NK[:, at] for at in range(labels)}
                found = decide(values, _rule(deviation / 2), baseline="0", scale="linear")
                wrong += found.labels[-1].verdict == "equal"
            figures[f"a margin apart, {name}, {labels} labels: called equal"] = wrong / NUM_DRAWS
    return figures


def _rule(margin: float, against: Any = "baseline") -> Rule:
    return Rule(
        margin=margin,
        is_relative=False,
        confidence=0.95,
        against=against,
        first_look=BATCH,
        batch=BATCH,
        max_seeds=MOST,
    )
