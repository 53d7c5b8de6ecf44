"""What HTTP answers about presets, lessons and theory, field by field for the OpenAPI document."""

from datetime import datetime
from typing import Any, Literal

from service.api.schemas.answers import Answer, Number


class PresetItem(Answer):
    """A preset in a list."""

    name: str
    """What `{"preset": …}` takes."""
    title: str
    """What its job is called."""
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
    """What its routes take."""
    texts: list[str]
    """Letters of the texts that say so; GET of the lesson has their names."""
    statement: str
    """What the texts say, in a sentence."""
    state: Literal["not run", "running", "stopped", "completed", "judged"]
    """`stopped`: a job failed, was cancelled or deleted before the lesson was judged; submit it again."""
    verdict: str | None
    """Null until it has been run; else begins with `holds`, `fails` or `holds if`."""


class LessonJob(Answer):
    """A job that a lesson stands on."""

    preset: str
    """The preset that the job stands for."""
    id: str
    """The job."""
    status: str | None
    """Null where the job has been deleted since."""
    seconds: float | None
    """From the first worker's start to the last run's end."""
    receipt: dict[str, Any] | None
    """What it was trained with."""
    links: dict[str, str]
    """Where to go from here."""


class QuantityAnswer(Answer):
    """A measured number."""

    name: str
    """What was measured."""
    value: Number | None
    """The number; null where it could not be measured."""
    low: Number | None
    """Lower end of the interval."""
    high: Number | None
    """Upper end of the interval."""
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
    """The numbers that the verdict rests on."""
    figures: list[dict[str, Any]]
    """Curves to draw: title, axes, and for each curve x, y and maybe a band."""
    presets: list[PresetAnswer]
    """Its experiments, ready to be posted."""
    jobs: list[LessonJob]
    """The jobs that were last submitted for it."""
    judged_at: datetime | None
    """When the verdict was computed; null before."""
    links: dict[str, str]
    """Where to go from here."""


class BestSettingsAnswer(Answer):
    """The fastest constant settings of a method between the smallest and the largest curvature."""

    kind: str
    """The method."""
    lr: float
    """Its best learning rate."""
    momentum: float
    """Its best momentum; 0 for plain descent."""
    rate: float
    """Factor by which the error shrinks at each update."""


class ProblemTheory(Answer):
    """What the curvatures at a minimum allow."""

    minimum: list[float] | None
    """Null where descent from the start leads to none."""
    smallest: float | None
    """Smallest curvature: eigenvalue of the Hessian at the minimum."""
    largest: float | None
    """Largest curvature."""
    condition_number: float | None
    """Largest over smallest curvature."""
    best: list[BestSettingsAnswer]
    """The best constant settings of each method."""


class SettingTheory(Answer):
    """What theory says of one setting; null where it has no word."""

    kind: str
    """The kind of optimizer."""
    lr: float
    """The learning rate."""
    sharpness_ceiling: Number | None
    """Largest curvature at which full-batch training is stable at this rate; Adam's is of the preconditioned one."""
    lr_limit: Number | None
    """Runs at this rate or above are not stable."""
    inside: bool | None
    """Whether the setting is stable."""
    rate: float | None
    """Factor by which the error shrinks at each update, in the long run; above 1 it grows."""
    oscillates: bool | None
    """Whether the error changes its sign on the way."""
    critical_momentum: float | None
    """Momentum above which a run swings along its slowest direction: the fastest at this rate."""
    stationary_loss: Number | None
    """Mean loss above the minimum at which a run settles under the problem's noise."""


class TheoryAnswer(Answer):
    """Limits and best settings of an optimizer on a problem, before anything runs."""

    exact: bool
    """Whether the curvature is the same everywhere; else theory holds near the minimum."""
    problem: ProblemTheory
    """What the problem allows, whatever the setting."""
    setting: SettingTheory
    """What becomes of this setting there."""


class MinimumAnswer(Answer):
    """A minimum of a surface."""

    position: list[float]
    """Where it is."""
    value: float | None
    """How low it is."""


class LandscapeAnswer(Answer):
    """A map of a surface, and what was asked of its points."""

    dimension: int
    """How many variables it has."""
    formula: str | None
    """What is computed, in x and y; null for a quadratic."""
    x: list[float] | None
    """The map's places along x; null where no map was asked for."""
    y: list[float] | None
    """The map's places along y; null in one dimension."""
    loss: list[list[Number]] | list[Number] | None
    """The loss at `y[row]` and `x[column]`, row by row; in one dimension at each `x`."""
    minima: list[MinimumAnswer]
    """Those of the catalogue; for a formula the one that descent from its start leads to, if any."""
    gradients: list[list[Number]]
    """The gradient at each of `points`, in their order."""
