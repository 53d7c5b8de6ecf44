"""Labels short enough for a picture; different labels stay different."""

import re
from collections.abc import Sequence

from service.findings.comparison.words import spoken_all
from service.spec.visible import near_one, visible

# Longest label, in characters.
MAX_LETTERS = 34
_MAX_ROUNDS = 20
_LONG_NUMBER = re.compile(r"=(-?\d+\.\d{4,}(?:e-?\d+)?)\b")


def shorten(label: str, most: int = MAX_LETTERS) -> str:
    """Round the numbers in a label to three digits, and shorten a label that is still too long in its middle."""
    rounded = _LONG_NUMBER.sub(lambda found: f"={near_one(float(found[1]), '{:.3g}'.format)}", visible(label))
    return _cut(rounded, most)


def short_names(labels: Sequence[str], most: int = MAX_LETTERS) -> list[str]:
    """Shorten labels so that no two become equal: those with the same short form are cut where they differ first."""
    whole = [visible(label) for label in spoken_all(labels)]
    names = [shorten(label, most) for label in whole]
    # Each round keeps a later part of labels that are still equal, so there are few rounds.
    for _ in range(_MAX_ROUNDS):
        equal: dict[str, set[str]] = {}
        for name, label in zip(names, whole, strict=True):
            equal.setdefault(name, set()).add(label)
        if all(len(group) == 1 for group in equal.values()):
            break
        places = {name: _first_difference(min(group), max(group)) for name, group in equal.items() if len(group) > 1}
        names = [
            _around(label, places[name], most) if name in places else name
            for name, label in zip(names, whole, strict=True)
        ]
    return names


def _first_difference(first: str, last: str) -> int:
    """Give the place of the first difference of a sorted group, whose ends differ before any others."""
    return next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def _cut(text: str, most: int) -> str:
    half = most // 2
    return text if len(text) <= most else f"{text[: half - 1]}…{text[-half:]}"


def _around(text: str, place: int, most: int) -> str:
    """Keep the beginning of a text and the part around a place."""
    if len(text) <= most:
        return text
    head = max(1, most // 4)
    length = most - head - 2
    first = max(head, min(place - 1, len(text) - length - 1))
    last = first + length
    return f"{text[:head]}{'…' if first > head else ''}{text[first:last]}{'…' if last < len(text) else ''}"
