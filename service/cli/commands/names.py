"""Names of optimizers in tables and sentences: "SGD lr=0.05" for the label "sgd lr=0.05", as in verdicts."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from service.cli.commands.conventions import written
from service.spec.visible import labels_in_words

if TYPE_CHECKING:
    from service.client import Ravine


def in_words(ravine: "Ravine", labels: Iterable[str]) -> dict[str, str]:
    """Give the name of each label; labels of users stay as they are."""
    return labels_in_words(list(dict.fromkeys(labels)), _short_names(ravine), written)


@cache
def _short_names(ravine: "Ravine") -> dict[str, str]:
    return {one["kind"]: one["short_name"] for one in ravine.catalogue("optimizers")}
