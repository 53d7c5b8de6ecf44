"""A lesson: a statement of a teaching text, the presets that test it, and the function that judges them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Finding

# Citations of the texts by the letter that lessons use. None of the texts gives a year.
TEXTS = {
    "V": 'video "SGD with Momentum Explained in Detail with Animations | Optimizers in Deep Learning Part 2"',
    "N": (
        'article "A Visual and Intuitive Explanation to Momentum in Machine Learning" '
        "(newsletter Daily Dose of Data Science)"
    ),
    "L": 'course lesson "SGD & Momentum"',
    "A": 'course lesson "Lesson 7.4: Optimizing the Brain: SGD, Momentum, and Adam"',
    "B": 'book section "SGD and Momentum" (chapter 9 "Optimizers", section 28 of 65)',
    "ours": "statement of this project",
}

# Takes the evidence of each preset, by the name of the preset.
Judge = Callable[[Mapping[str, Evidence]], Finding]


@dataclass(frozen=True)
class Lesson:
    """One statement.

    Attributes:
        criterion: How it is judged, fixed before the jobs are run.
        fields: Metric fields that ``judge`` reads.
        fairness: Why the criterion is the fair reading of the statement, in one or two sentences.
    """

    id: str
    texts: tuple[str, ...]
    statement: str
    criterion: str
    presets: tuple[str, ...]
    fields: tuple[str, ...]
    judge: Judge
    fairness: str
