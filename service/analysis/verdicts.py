"""Verdict of a comparison: one English sentence with the numbers and their intervals."""

import math
from dataclasses import dataclass

from service.analysis.pairs import Estimate


@dataclass(frozen=True)
class Contender:
    """The numbers of one setting, compared with another one."""

    label: str
    speed_up: Estimate | None
    """Speed-up to the target over the other one."""
    misses: int
    """Number of pairs in which only this one misses the target."""
    other_misses: int
    """Number of pairs in which only the other one misses it."""
    difference: Estimate | None
    """Interquartile mean of its final loss minus that of the other one."""
    pairs: int


def verdict(winner: Contender, other: str, target: float | None) -> str:
    """Write the sentence on the winner and the other setting, which may be equal."""
    parts = []
    if target is not None and (pace := _pace(winner, other, target)):
        parts.append(pace)
    if winner.difference is not None:
        parts.append(_ending(winner.difference, other, bool(parts)))
    if not parts:
        return f"No number distinguishes {winner.label} from {other}."
    return f"{winner.label} {' and '.join(parts)} ({_pairs(winner.pairs)})."


def _pace(winner: Contender, other: str, target: float) -> str | None:
    if winner.speed_up is None:
        if winner.other_misses and not winner.misses:
            return f"reaches loss {_number(target)}, which {other} misses,"
        return f"misses loss {_number(target)}, which {other} reaches," if winner.misses else None
    ratio = winner.speed_up
    times = f"{_number(ratio.value)} times as soon as {other}"
    if ratio.value >= 1:
        times = f"{_number(ratio.value)} times sooner than {other}"
    counts = [
        f"{winner.other_misses} more where only {other} misses it" if winner.other_misses else "",
        f"{winner.misses} where only {winner.label} misses it" if winner.misses else "",
    ]
    added = ", ".join(count for count in counts if count)
    sure = "; ".join(part for part in (_interval(ratio), added) if part)
    return f"reaches loss {_number(target)} {times}{f' ({sure})' if sure else ''}"


def _ending(difference: Estimate, other: str, named: bool) -> str:
    than = "" if named else f" than {other}"
    if difference.value == 0:
        return f"ends {'at the same loss' if named else 'at the same loss as ' + other}"
    if difference.value == -math.inf:
        return f"stays finite where most runs of {other} do not"
    word = "lower" if difference.value < 0 else "higher"
    size = abs(difference.value)
    flipped = Estimate(size, *sorted((abs(difference.low), abs(difference.high))))
    if difference.low <= 0 <= difference.high:
        return f"ends at a loss that cannot be told {'apart' if named else 'from that of ' + other} " \
               f"(difference {_number(difference.value)}, {_interval(difference)})"  # fmt: skip
    sure = _interval(flipped)
    return f"ends {word}{than} by {_number(size)}{f' ({sure})' if sure else ''}"


def _interval(estimate: Estimate) -> str:
    """Write an interval; empty for a single pair, which the end of the sentence mentions."""
    if estimate.low != estimate.low:
        return ""
    return f"95 % interval {_number(estimate.low)} to {_number(estimate.high)}"


def _pairs(num: int) -> str:
    return "a single pair of runs, which gives no interval" if num == 1 else f"{num} pairs of runs"


def _number(value: float) -> str:
    """Write three digits; most intervals justify fewer."""
    return f"{value:.3g}".replace("inf", "infinity")
