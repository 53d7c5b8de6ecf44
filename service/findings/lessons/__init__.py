"""Statements of the teaching texts that are tested: one lesson each, grouped by theme."""

from service.findings.lessons import (
    adam,
    batches,
    flipnet,
    identities,
    landscapes,
    momentum,
    networks,
    parabola,
    ravine,
    speed,
    tables,
    transformers,
    velocity,
)
from service.findings.lessons.lesson import TEXTS, Lesson

__all__ = ["LESSONS", "TEXTS", "Lesson"]

GROUPS = (
    *(parabola, velocity, identities, ravine, momentum, speed, landscapes, flipnet, batches, networks, adam),
    *(tables, transformers),
)
LESSONS: dict[str, Lesson] = {lesson.id: lesson for group in GROUPS for lesson in group.LESSONS}
