"""Judgements of statements: readings by intervals, and the verdict that follows from all readings.

A reading is True, False, or None if the evidence decides neither. No reading rests on fewer than six seeds, because an
estimate of fewer seeds has no interval. Numbers that are not random are compared directly.
"""

from collections.abc import Mapping, Sequence

from service.findings.lessons.finding import Figure, Finding, Quantity, Reading, short

# "About N" in a statement is within a tenth of N, and a difference within a tenth counts as none.
ABOUT = 0.1
VERDICTS = HOLDS, FAILS, INCONCLUSIVE = ("holds", "fails", "inconclusive")
# Differences of accuracy up to one percentage point count as none: it is about four of the 360 test digits.
POINT = 0.01


def greater(estimate: Quantity, bound: float = 0.0, margin: float = 0.0) -> Reading:
    """Whether a number lies above a bound by more than a margin that counts as equal.

    False if the whole interval lies at or below bound + margin; else True if it lies above the bound; else None.
    """
    if estimate.low is None or estimate.high is None:
        return None
    if estimate.high <= bound + margin:
        return False
    return True if estimate.low > bound else None


def less(estimate: Quantity, bound: float = 0.0, margin: float = 0.0) -> Reading:
    """Whether a number lies below a bound by more than a margin that counts as equal; see ``greater``."""
    if estimate.low is None or estimate.high is None:
        return None
    if estimate.low >= bound - margin:
        return False
    return True if estimate.high < bound else None


def between(estimate: Quantity, low: float, high: float) -> Reading:
    """Whether a number lies in a range: True if the whole interval does, False if none of it does, else None."""
    if estimate.low is None or estimate.high is None:
        return None
    if low <= estimate.low and estimate.high <= high:
        return True
    return False if estimate.high < low or estimate.low > high else None


def equal(estimate: Quantity, margin: float, to: float = 0.0) -> Reading:
    """Whether a number equals another one to a margin."""
    return between(estimate, to - margin, to + margin)


def every(*readings: Reading) -> Reading:
    """Whether all readings are true: False if one is false, else None if one is undecided."""
    if any(reading is not None and not reading for reading in readings):
        return False
    return None if any(reading is None for reading in readings) else True


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
    readings: Mapping[str, Reading],
    quantities: Sequence[Quantity],
    otherwise: str = "",
    figures: Sequence[Figure] = (),
) -> Finding:
    """Judge a statement by its readings: it holds in all of them, in some, in none, or none is decided in its favour.

    A reading completes the phrases "holds if" and "undecided if"; ``otherwise`` states the findings if no reading
    holds.
    """
    plain = _plain(readings)
    holding = [reading for reading, holds in plain.items() if holds]
    undecided = [reading for reading, holds in plain.items() if holds is None]
    if len(holding) == len(plain):
        verdict = HOLDS
    elif holding:
        verdict = f"{HOLDS} if {', or if '.join(holding)}"
    elif undecided:
        verdict = f"{INCONCLUSIVE}: {otherwise or f'undecided if {_listed(undecided)}'}"
    else:
        verdict = f"{FAILS}: {otherwise}" if otherwise else FAILS
    return Finding(verdict, list(quantities), plain, list(figures))


def together(
    parts: Mapping[str, Reading],
    quantities: Sequence[Quantity],
    otherwise: str = "",
    figures: Sequence[Figure] = (),
) -> Finding:
    """Judge a statement with several parts: it holds if every part holds, and fails if one fails."""
    plain = _plain(parts)
    wrong = [part for part, holds in plain.items() if holds is False]
    undecided = [part for part, holds in plain.items() if holds is None]
    found = f"; {otherwise}" if otherwise else ""
    if wrong:
        verdict = f"{FAILS}: it is not true that {', nor that '.join(wrong)}{found}"
    elif undecided:
        verdict = f"{INCONCLUSIVE}: undecided whether {_listed(undecided)}{found}"
    else:
        verdict = HOLDS
    return Finding(verdict, list(quantities), plain, list(figures))


def _plain(readings: Mapping[str, Reading]) -> dict[str, Reading]:
    """Return the readings with Python's bool in place of NumPy's."""
    return {reading: None if holds is None else bool(holds) for reading, holds in readings.items()}


def _listed(words: Sequence[str]) -> str:
    return " and ".join(words)
