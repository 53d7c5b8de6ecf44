"""Numbers, shares, labels and lists of names as a verdict writes them."""

import math
from collections.abc import Sequence

from service.spec.bare_kinds import KINDS
from service.spec.optimizers import BUILT_IN
from service.spec.visible import label_in_words, labels_in_words

MAX_NAMES = 3
# A ratio beyond this is written as a bound.
LARGEST = 1e6
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SHORT_NAMES = {kind: entry.short_name for kind, entry in zip(KINDS, BUILT_IN, strict=True)}


def number(value: float) -> str:
    """Write a number with three digits: 0.0565, 1,230, 2.4×10⁻⁷."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "infinity" if value > 0 else "−infinity"
    size = abs(value)
    if not 1e-4 <= size < 1e6:
        digits, power = f"{value:.1e}".split("e")
        factor = "" if digits == "1.0" else "-" if digits == "-1.0" else f"{digits}×"
        text = f"{factor}10{str(int(power)).translate(_RAISED)}"
    elif size >= 1000:
        text = f"{float(f'{value:.3g}'):,.0f}"
    else:
        text = f"{value:.3g}"
    return text.replace("-", "−", 1) if value < 0 else text


def times(ratio: float) -> str:
    """Write a ratio of at least 1: 1.35, 3.6, 120."""
    if ratio >= LARGEST:
        return "over a million"
    digits = 3 if ratio < 2 else 2
    rounded = float(f"{ratio:.{digits}g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.{digits}g}"


def percent(share: float) -> str:
    """Write a share in per cent with two digits: 4.2 %."""
    value = 100 * share
    return f"{value:.2g} %".replace("-", "−") if abs(value) < 99.5 else f"{value:.0f} %".replace("-", "−")


def spoken(label: str) -> str:
    """Write a label in a sentence: "sgd lr=0.0888623816" is "SGD lr=0.0889"; labels of users stay as they are."""
    return label_in_words(label, _SHORT_NAMES, number)


def spoken_all(labels: Sequence[str]) -> list[str]:
    """Write labels in sentences; those that would become equal stay as they are."""
    said = labels_in_words(labels, _SHORT_NAMES, number)
    return [said[label] for label in labels]


def names(labels: Sequence[str]) -> str:
    """List labels: at most three by name, the rest as a number."""
    shown = list(labels[:MAX_NAMES])
    if len(labels) > MAX_NAMES:
        shown.append(f"{len(labels) - MAX_NAMES} others" if len(labels) > MAX_NAMES + 1 else labels[MAX_NAMES])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def plural(num: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun: 1 seed, 20 seeds."""
    return f"{num:,} {one if num == 1 else many or one + 's'}"
