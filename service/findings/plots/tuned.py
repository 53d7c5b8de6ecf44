"""Labels of a comparison whose setting was chosen among several, for the pictures of tuning."""

from dataclasses import dataclass
from typing import Any

from service.errors import Rejected
from service.findings.comparison.words import percent, plural
from service.findings.plots.compared import Compared
from service.findings.plots.style import LineStyle

_NO_SEARCH = (
    "there is nothing to draw: no label of this job has several settings; give hyper-parameters as lists, ranges or "
    'intervals, or an optimizer as a bare kind such as "adam"'
)


@dataclass(frozen=True)
class Tuned:
    """A label with several settings; ``tuning`` is its part of the answer of the comparison."""

    label: str
    style: LineStyle
    tuning: dict[str, Any]

    @property
    def sensitivity(self) -> str:
        """Write the number of settings and, where it is known, the share of good ones."""
        tried, good = plural(self.tuning["num_settings"], "setting"), self.tuning["good_share"]
        return tried if good is None else f"{percent(good)} of {tried} good"


def tuned_labels(compared: Compared) -> list[Tuned]:
    """List the labels with several settings, best mean first.

    Raises:
        Rejected: No label has several settings.
    """
    tunings = {label["label"]: label["tuning"] for label in compared.answer["labels"]}
    found = [
        Tuned(row.label, row.style, tuning) for row in compared.rows if (tuning := tunings.get(row.label)) is not None
    ]
    if not found:
        raise Rejected(_NO_SEARCH)
    return found


def chosen_by(compared: Compared) -> str:
    """Say which seeds chose the settings, and by what."""
    seeds = plural(compared.answer["choosing_seeds"], "choosing seed")
    return f"Settings are scored by their median over {seeds}."
