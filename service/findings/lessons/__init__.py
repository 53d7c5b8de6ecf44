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
    velocity,
)
from service.findings.lessons.lesson import TEXTS, Lesson

__all__ = ["LESSONS", "TEXTS", "Lesson"]

LESSONS: dict[str, Lesson] = {
    lesson.id: lesson
    for group in (parabola, velocity, identities, ravine, momentum, speed, landscapes, flipnet, batches, networks, adam)
    for lesson in group.LESSONS
}
