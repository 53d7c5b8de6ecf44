"""Labels of a comparison as plots draw them: best mean first, each with its rank, its style and its numbers."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from service.analysis.simultaneous import MIN_SEEDS
from service.database.tables import Job
from service.errors import Rejected
from service.findings.comparison.job import compare_once
from service.findings.comparison.words import number, plural
from service.findings.plots.request import PlotQuery
from service.findings.plots.style import LineStyle, Palette, line_styles

MAY_BE_BEST, NOT_BEST = "● may be best", "○ is not best"


@dataclass(frozen=True)
class Row:
    """A compared label.

    Attributes:
        place: Its position in the order of means, from 1.
        low: Best possible rank.
        high: Worst possible rank.
        is_best: Whether it is one of the labels that may be best.
        setting: The description of the setting that stands for it.
    """

    label: str
    place: int
    low: int
    high: int
    is_best: bool
    setting: dict[str, Any]
    style: LineStyle


@dataclass(frozen=True)
class Compared:
    """The answer of a comparison, and its labels, best mean first."""

    answer: dict[str, Any]
    rows: list[Row]

    @property
    def claims(self) -> bool:
        """Whether there are enough seeds, all of them complete; else every interval of a rank is the whole range."""
        return not self.answer["partial"] and self.answer["replicates"] >= MIN_SEEDS

    @property
    def marks_best(self) -> bool:
        """Whether some labels may be best and others not."""
        return self.claims and not all(row.is_best for row in self.rows)

    @property
    def criterion(self) -> str:
        """Name the criterion as on an axis."""
        name: str = self.answer["criterion"]["name"]
        target = self.answer["target"]["loss"]
        if name == "epochs_to_target" and target is not None:
            return f"epochs to loss {number(target)}"
        return name.replace("_", " ")

    def caption(self, *parts: str, shown: int) -> str:
        """Write the verdict, the criterion, the seeds and the confidence, then further sentences."""
        found = self.answer
        declared = " (declared)" if found["criterion"]["declared"] else ""
        seeds = plural(found["replicates"], "judging seed" if found["choosing_seeds"] else "seed")
        protocol = f"Criterion: {self.criterion}{declared}; {seeds}; confidence {100 * found['confidence']:.3g}\u00a0%."
        few = f"The best {shown} of {len(self.rows)} labels." if shown < len(self.rows) else ""
        return " ".join(filter(None, [found["verdict"], protocol, *parts, few, self.partial_words]))

    @property
    def partial_words(self) -> str:
        """Say that the job has not ended, if so."""
        return "The job has not ended; this shows the rows stored so far." if self.answer["partial"] else ""


def read_compared(session: Session, job: Job, query: PlotQuery, palette: Palette) -> Compared:
    """Compare the labels of a job.

    Raises:
        Rejected: There is no such baseline or criterion, or no row is stored yet.
    """
    found = compare_once(
        session, job, baseline=query.baseline, target=query.target, tuned=query.tuned, criterion=query.criterion
    )
    if not found["ranks"]:
        raise Rejected("there is nothing to draw yet: no run has rows")
    settings: dict[str, dict[str, Any]] = {}
    for label in found["labels"]:
        for setting in label["settings"]:
            settings[label["label"] if found["tuned"] else setting["label"]] = setting
    kinds = [setting["optimizer"]["kind"] for setting in settings.values()]
    styles = dict(zip(settings, line_styles(kinds, palette), strict=True))
    best = set(found["best"])
    rows = [
        Row(
            label=rank["label"],
            place=place,
            low=rank["low"],
            high=rank["high"],
            is_best=rank["label"] in best,
            setting=settings[rank["label"]],
            style=styles[rank["label"]],
        )
        for place, rank in enumerate(found["ranks"], start=1)
    ]
    return Compared(found, rows)
