"""What is a lesson: a statement of the teaching texts, the experiments that put it to the test, and who judges them?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Finding

# The texts that Ravine grew from, by the letter under which the lessons quote them.
TEXTS = {
    "V": "a video with an interactive page",
    "N": "a newsletter with contour pictures",
    "L": "a short course lesson",
    "A": "a lesson from SGD to Adam",
    "B": "a long book chapter",
    "ours": "a statement of this project",
}

# The evidence of each preset, by its name.
Judge = Callable[[Mapping[str, Evidence]], Finding]


@dataclass(frozen=True)
class Lesson:
    """One statement. ``criterion`` says how it is judged; ``fields`` are what the judge reads of the histories."""

    id: str
    texts: tuple[str, ...]
    statement: str
    criterion: str
    presets: tuple[str, ...]
    fields: tuple[str, ...]
    judge: Judge
