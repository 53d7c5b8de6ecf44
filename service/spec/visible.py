"""Text of users as terminals and pictures can show it: control characters are shown, labels are in words."""

import math
import re
from collections.abc import Callable, Mapping, Sequence

# Control characters, line and paragraph separators, marks that reverse the direction of the text after them, halves of
# surrogate pairs, and what XML does not allow.
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
# What follows the kind in the label of a setting: "sgd lr=0.1".
_SETTING = re.compile(r"(?:\w+=\S+)(?: \w+=\S+)*")
_LONG_NUMBER = re.compile(r"(?<==)-?(?:\d+\.\d{5,}(?:e[-+]?\d+)?|\d+(?:\.\d+)?e[-+]?\d+)(?![\w.])")
_NAMES = {"\n": "↵", "\t": "⇥"}


def visible(text: str) -> str:
    """Write a line break as ↵, a tab as ⇥, other invisible characters as ⟨001B⟩; different texts stay different."""
    return INVISIBLE.sub(lambda found: _NAMES.get(found[0], f"⟨{ord(found[0]):04X}⟩"), text)


def label_in_words(label: str, short_names: Mapping[str, str], number: Callable[[float], str]) -> str:
    """Write "sgd lr=0.0888623816" as "SGD lr=0.0889"; labels of users stay as they are.

    ``short_names`` has the names of the kinds, and ``number`` writes long numbers.
    """
    kind, _, setting = label.partition(" ")
    if kind not in short_names or (setting and not _SETTING.fullmatch(setting)):
        return label
    return " ".join(
        filter(None, [short_names[kind], _LONG_NUMBER.sub(lambda it: near_one(float(it[0]), number), setting)])
    )


def near_one(value: float, number: Callable[[float], str]) -> str:
    """Write a number below 1 with two digits of its distance from 1: momenta of 0.99985 and 1 differ. Else `number`."""
    if not 0.9 < value < 1:
        return number(value)
    return f"{value:.{math.ceil(-math.log10(1 - value)) + 1}f}"


def labels_in_words(
    labels: Sequence[str], short_names: Mapping[str, str], number: Callable[[float], str]
) -> dict[str, str]:
    """Write each label in words; labels that would become equal stay as they are."""
    said = [label_in_words(label, short_names, number) for label in labels]
    return {label: one if said.count(one) == 1 else label for one, label in zip(said, labels, strict=True)}
