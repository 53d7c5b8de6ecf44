"""Findings: numbers with intervals, figures, and the verdict."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from service.analysis.estimate import Estimate
from service.analysis.paired import mean_difference, mean_ratio
from service.analysis.proportions import shares
from service.analysis.simultaneous import MIN_SEEDS
from service.analysis.speed import speed_up

# Whether a statement holds; None if the evidence decides neither.
Reading = bool | None


@dataclass(frozen=True)
class Quantity:
    """One measured number. ``said`` is the text's value, ``tolerance`` the largest difference that counts as equal."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    said: float | None = None
    tolerance: float | None = None

    @property
    def agrees(self) -> bool | None:
        """Whether the value equals the stated one; None if the text states none."""
        return self._within(1)

    @property
    def nearly(self) -> bool | None:
        """Whether the value equals the stated one to twice the tolerance, which is one unit of the last digit."""
        return self._within(2)

    def _within(self, times: float) -> bool | None:
        if self.said is None or self.tolerance is None:
            return None
        # Slightly more than the tolerance, which is itself a rounded decimal.
        return self.value is not None and abs(self.value - self.said) <= times * self.tolerance * (1 + 1e-9)


@dataclass(frozen=True)
class Curve:
    """A line of a figure, with a band if it has several seeds."""

    label: str
    x: list[float]
    y: list[float]
    low: list[float] | None = None
    high: list[float] | None = None


@dataclass(frozen=True)
class Figure:
    """A plot of measured values."""

    title: str
    x: str
    y: str
    curves: list[Curve]
    log_x: bool = False
    log_y: bool = True


@dataclass(frozen=True)
class Finding:
    """The result of a lesson. ``readings`` maps each reading of the statement to whether it holds; None: undecided."""

    verdict: str
    quantities: list[Quantity]
    readings: Mapping[str, Reading] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)


def said(name: str, value: float, expected: float, tolerance: float) -> Quantity:
    """Compare a number with the text's; the tolerance is half a unit of the last digit given there."""
    return Quantity(name, float(value), said=expected, tolerance=tolerance)


def number(name: str, value: float | None) -> Quantity:
    """Return a quantity without an interval, because it is not random."""
    return Quantity(name, None if value is None else float(value))


def band(name: str, values: ArrayLike, of: str = "seeds") -> Quantity:
    """Return the median over seeds and the range of the middle 90 %. A missing value counts as ∞."""
    finite = np.asarray(values, dtype=np.float64)
    finite = np.where(np.isnan(finite), np.inf, finite)
    # Order statistics: interpolation with infinity is undefined.
    low, middle, high = np.quantile(finite, [0.05, 0.5, 0.95], method="inverted_cdf").tolist()
    return Quantity(name, middle, low, high, f"median and 5 % to 95 % of {len(finite)} {of}")


def estimated(name: str, estimate: Estimate, num_seeds: int, among: int = 1) -> Quantity:
    """Return an estimate over seeds. Its interval is 95 % for ``among`` intervals at once (Bonferroni)."""
    if not estimate.has_interval:
        return Quantity(name, estimate.value, interval=f"no interval from {num_seeds} seeds")
    at_once = f" for {among} at once" if among > 1 else ""
    return Quantity(name, estimate.value, estimate.low, estimate.high, f"95 %{at_once}, {num_seeds} seeds")


def difference(name: str, ours: ArrayLike, theirs: ArrayLike, among: int = 1) -> Quantity:
    """Return the mean over seeds of ours − theirs with Student's interval; no value if a run diverged.

    Give a diverged run a value before, where the statement defines one.
    """
    this_N, other_N = (np.asarray(values, dtype=np.float64) for values in (ours, theirs))
    if not (np.isfinite(this_N).all() and np.isfinite(other_N).all()):
        return Quantity(name, None)
    return estimated(name, mean_difference(this_N, other_N, 0.05 / among), len(this_N), among)


def ratio(name: str, ours: ArrayLike, theirs: ArrayLike, among: int = 1) -> Quantity:
    """Return the geometric mean over seeds of ours / theirs with Student's interval, if all are positive."""
    this_N, other_N = (np.asarray(values, dtype=np.float64) for values in (ours, theirs))
    both = np.concatenate([this_N, other_N])
    if not (np.isfinite(both) & (both > 0)).all():
        return Quantity(name, None)
    return estimated(name, mean_ratio(this_N, other_N, 0.05 / among), len(this_N), among)


def speedup(name: str, ours: ArrayLike, theirs: ArrayLike, budget: float, among: int = 1) -> tuple[Quantity, Quantity]:
    """Return how many times fewer epochs ours needs: the ratio of expected epochs, and the mean of capped ratios.

    A missed target is infinite. The first counts it by expected epochs until a run hits; without a hit on one side it
    has no value. The second, a geometric mean over seeds, counts it as the whole budget.
    """
    this_N, other_N = (np.asarray(epochs, dtype=np.float64)[:, None] for epochs in (ours, theirs))
    found = speed_up(this_N, other_N, budget, 0.05 / among)
    capped = f"{name}, a miss as {budget:g} epochs"
    return (
        Quantity(name, None) if found.ratio is None else estimated(name, found.ratio, found.seeds, among),
        Quantity(capped, None)
        if found.capped_ratio is None
        else estimated(capped, found.capped_ratio, found.seeds, among),
    )


def share(name: str, outcomes: ArrayLike, among: int = 1) -> Quantity:
    """Return a share of seeds with its exact interval; no interval with fewer than six seeds."""
    happened = np.asarray(outcomes, dtype=bool)
    num = len(happened)
    found = shares(np.array([float(happened.sum())]), num, 0.05 / among, num >= MIN_SEEDS)
    estimate = Estimate(float(found.value_M[0]), float(found.low_M[0]), float(found.high_M[0]))
    return estimated(name, estimate, num, among)


def short(value: float | None) -> str:
    """Format a number."""
    return "not measured" if value is None else "∞" if value == math.inf else f"{value:.5g}"


def spanned(quantity: Quantity) -> str:
    """Format an estimate with its interval: "0.012 (−0.001 to 0.025)"."""
    if quantity.low is None or quantity.high is None:
        return short(quantity.value)
    return f"{quantity.value:.3g} ({quantity.low:.3g} to {quantity.high:.3g})".replace("-", "−")


def curve(label: str, x: ArrayLike, y: ArrayLike, most: int = 120) -> Curve:
    """Return one run, or the median of many [R, E] with a band of 5 % to 95 %, as a curve of about ``most`` points."""
    x_E, y_RE = np.asarray(x, dtype=np.float64), np.atleast_2d(np.asarray(y, dtype=np.float64))
    at = np.unique(np.linspace(0, len(x_E) - 1, min(most, len(x_E))).round().astype(int))
    table = np.where(np.isfinite(y_RE[:, at]), y_RE[:, at], np.nan)
    kept = ~np.isnan(table).any(axis=0)
    x_E, table = x_E[at][kept], table[:, kept]
    if len(table) == 1 or not kept.any():
        return Curve(label, _digits(x_E), _digits(table[0]))
    low, middle, high = np.quantile(table, [0.05, 0.5, 0.95], axis=0)
    return Curve(label, _digits(x_E), _digits(middle), _digits(low), _digits(high))


def _digits(values: Any) -> list[float]:
    """Round to the digits that a picture can show."""
    return [float(f"{value:.5g}") for value in values]
