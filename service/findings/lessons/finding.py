"""Findings: numbers with intervals, and the verdict that follows from them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from service.analysis.pairs import paired_difference


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
    """The result of a lesson. ``readings`` maps each reading of the statement to whether it holds."""

    verdict: str
    quantities: list[Quantity]
    readings: dict[str, bool] = field(default_factory=dict)
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


def difference(name: str, ours: ArrayLike, theirs: ArrayLike) -> Quantity:
    """Return the mean of ours − theirs over the same seeds with its 95 % bootstrap interval; none if a run diverged."""
    this_N, other_N = (np.asarray(values, dtype=np.float64) for values in (ours, theirs))
    # A diverged run has no final value, and which sign is worse depends on the field.
    if not (np.isfinite(this_N).all() and np.isfinite(other_N).all()):
        return Quantity(name, None)
    found = paired_difference(this_N, other_N)
    return Quantity(name, found.value, found.low, found.high, f"bootstrap 95 %, {len(this_N)} pairs of runs")


def share(name: str, outcomes: ArrayLike) -> Quantity:
    """Return a share with Wilson's 95 % interval (Wilson 1927)."""
    happened = np.asarray(outcomes, dtype=bool)
    num, z = len(happened), 1.959964
    observed = float(happened.mean())
    middle = (observed + z * z / (2 * num)) / (1 + z * z / num)
    half = z / (1 + z * z / num) * math.sqrt(observed * (1 - observed) / num + z * z / (4 * num * num))
    return Quantity(name, observed, max(0.0, middle - half), min(1.0, middle + half), f"Wilson's 95 %, {num} runs")


def short(value: float | None) -> str:
    """Format a number."""
    return "not measured" if value is None else "∞" if value == math.inf else f"{value:.5g}"


def signed(quantity: Quantity) -> str:
    """Format a difference with its sign."""
    return "not measured" if quantity.value is None else f"{quantity.value:+.3f}".replace("-", "−")


def as_said(quantities: Sequence[Quantity], figures: Sequence[Figure] = ()) -> Finding:
    """Judge a statement that consists of numbers: equal to the last digit, or to one unit of it."""
    about = [one for one in quantities if one.agrees is not None]
    wrong = "; ".join(f"{one.name} is {short(one.value)}, not {short(one.said)}" for one in about if not one.agrees)
    readings = {
        "every number is exact to its last digit": not wrong,
        "numbers may be off by one in their last digit": all(one.nearly for one in about),
    }
    return concluded(readings, quantities, wrong, figures)


def concluded(
    readings: Mapping[str, bool],
    quantities: Sequence[Quantity],
    otherwise: str = "",
    figures: Sequence[Figure] = (),
) -> Finding:
    """Judge a statement by its readings: it holds in all of them, in some, or in none.

    A reading completes the phrase "holds if"; ``otherwise`` states the findings if no reading holds.
    """
    plain = {reading: bool(holds) for reading, holds in readings.items()}
    holding = [reading for reading, holds in plain.items() if holds]
    if len(holding) == len(plain):
        verdict = "holds"
    elif holding:
        verdict = f"holds if {', or if '.join(holding)}"
    else:
        verdict = f"fails: {otherwise}" if otherwise else "fails"
    return Finding(verdict, list(quantities), plain, list(figures))


def together(
    parts: Mapping[str, bool],
    quantities: Sequence[Quantity],
    otherwise: str = "",
    figures: Sequence[Figure] = (),
) -> Finding:
    """Judge a statement with several parts: it holds if every part holds."""
    plain = {part: bool(holds) for part, holds in parts.items()}
    wrong = [part for part, holds in plain.items() if not holds]
    found = f"; {otherwise}" if otherwise else ""
    verdict = f"fails: it is not true that {', nor that '.join(wrong)}{found}" if wrong else "holds"
    return Finding(verdict, list(quantities), plain, list(figures))


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
