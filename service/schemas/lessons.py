"""What HTTP answers about presets, lessons and theory, field by field for the OpenAPI document."""

from datetime import datetime
from typing import Any, Literal

from service.schemas.answers import Answer, Number


class PresetItem(Answer):
    """A preset in a list."""

    name: str
    """What `{"preset": …}` takes."""
    title: str
    sentence: str
    """What it shows."""
    problem: str
    """The kind of its problem."""


class PresetAnswer(PresetItem):
    """A preset, and the spec that it stands for."""

    spec: dict[str, Any]
    """The body of POST /v1/jobs."""


class LessonItem(Answer):
    """A lesson in the ledger."""

    id: str
    texts: list[str]
    """Letters of the texts that say so; GET of the lesson has their names."""
    statement: str
    state: Literal["not run", "running", "stopped", "completed", "judged"]
    """`stopped`: a job failed, was cancelled or deleted before the lesson was judged; submit it again."""
    verdict: str | None
    """Null until it has been run; else begins with `holds`, `fails` or `holds if`."""


class LessonJob(Answer):
    """A job that a lesson stands on."""

    preset: str
    id: str
    status: str | None
    """Null where the job has been deleted since."""
    seconds: float | None
    """From the first worker's start to the last run's end."""
    receipt: dict[str, Any] | None
    """What it was trained with."""
    links: dict[str, str]


class QuantityAnswer(Answer):
    """A measured number."""

    name: str
    value: Number | None
    low: Number | None
    """Lower end of the interval."""
    high: Number | None
    interval: str | None
    """What the interval is."""
    said: Number | None
    """What the text says of it."""
    tolerance: Number | None
    """How near counts as equal."""


class LessonAnswer(LessonItem):
    """A lesson: the statement, its experiments, and what they came to."""

    sources: list[str]
    """The texts, in words."""
    criterion: str
    """How it is judged."""
    readings: dict[str, bool]
    """For each way to read the statement, or each of its parts, whether it holds."""
    quantities: list[QuantityAnswer]
    figures: list[dict[str, Any]]
    """Curves to draw: title, axes, and for each curve x, y and maybe a band."""
    presets: list[PresetAnswer]
    """Its experiments, ready to be posted."""
    jobs: list[LessonJob]
    judged_at: datetime | None
    links: dict[str, str]


class BestSettingsAnswer(Answer):
    """The fastest constant settings of a method between the smallest and the largest curvature."""

    kind: str
    lr: float
    momentum: float
    rate: float
    """Factor by which the error shrinks at each update."""


class ProblemTheory(Answer):
    """What the curvatures at a minimum allow."""

    minimum: list[float] | None
    """Null where descent from the start leads to none."""
    smallest: float | None
    largest: float | None
    condition_number: float | None
    best: list[BestSettingsAnswer]


class SettingTheory(Answer):
    """What theory says of one setting; null where it has no word."""

    kind: str
    lr: float
    sharpness_ceiling: Number | None
    """Largest curvature at which full-batch training is stable at this rate; Adam's is of the preconditioned one."""
    lr_limit: Number | None
    """Runs at this rate or above are not stable."""
    inside: bool | None
    """Whether the setting is stable."""
    rate: float | None
    """Factor by which the error shrinks at each update, in the long run; above 1 it grows."""
    oscillates: bool | None
    critical_momentum: float | None
    """Momentum above which a run swings along its slowest direction: the fastest at this rate."""
    stationary_loss: Number | None
    """Mean loss above the minimum at which a run settles under the problem's noise."""


class TheoryAnswer(Answer):
    """Limits and best settings of an optimizer on a problem, before anything runs."""

    exact: bool
    """Whether the curvature is the same everywhere; else theory holds near the minimum."""
    problem: ProblemTheory
    setting: SettingTheory
