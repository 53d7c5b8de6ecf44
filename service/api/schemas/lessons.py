"""Models of answers about presets, lessons, theory and landscapes."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from service.api.schemas.answers import Answer, Number
from service.api.schemas.catalogue import Program
from service.findings.ledger.records import STATES

if TYPE_CHECKING:  # A type checker cannot read a Literal from a tuple.
    LessonState = str
else:
    LessonState = Literal[STATES]


class PresetItem(Answer):
    """A preset in a list."""

    name: str
    """Its name in `{"preset": …}`."""
    title: str
    """Default name of its job."""
    sentence: str
    """What the experiment shows."""
    problem: str
    """Kind of its problem."""


class PresetAnswer(PresetItem):
    """A preset with its spec."""

    spec: dict[str, Any]
    """A body for POST /v1/jobs."""


class StoredResult(Answer):
    """Origin of a result that the package contains."""

    version: str
    """Version of Ravine that computed it."""
    torch: str
    """Version of torch."""
    computed_at: datetime
    """Time of its computation."""


class LessonItem(Answer):
    """A lesson in the ledger."""

    id: str
    """Its id in paths."""
    texts: list[str]
    """Letters of the texts with this statement; `GET /v1/lessons/{lesson_id}` has their names."""
    statement: str
    """The statement of the texts, as a sentence."""
    state: LessonState
    """State of the jobs submitted last. `stopped`: one failed or was cancelled or deleted before it was judged."""
    verdict: str | None
    """Begins with `holds`, `holds if`, `inconclusive` or `fails`; null before the first verdict.

    While the lesson runs again, the verdict of the jobs before. Before its first run the stored one of the package."""
    stored: StoredResult | None
    """Origin of the result if the package contains it; null if it is that of jobs of this server, or there is none."""


class LessonJob(Answer):
    """A job of a lesson."""

    preset: str
    """The preset of the job."""
    id: str | None
    """Id of the job; null for callers who do not own it."""
    status: str | None
    """Status of the job; null if it was deleted."""
    seconds: float | None
    """Seconds from the start of the first shard to the end of the last run."""
    receipt: dict[str, Any] | None
    """Environment of the training."""
    links: dict[str, str]
    """Paths of related resources; empty for callers who do not own the job."""


class QuantityAnswer(Answer):
    """A measured number."""

    name: str
    """The measured quantity."""
    value: Number | None
    """The number; null if it could not be measured."""
    low: Number | None
    """Lower end of the interval."""
    high: Number | None
    """Upper end of the interval."""
    interval: str | None
    """Kind of the interval."""
    said: Number | None
    """The number that the text gives."""
    tolerance: Number | None
    """Largest difference that counts as equal."""


class LessonAnswer(LessonItem):
    """A lesson: the statement, its experiments and their results."""

    sources: list[str]
    """Names of the texts."""
    criterion: str
    """Rule of the verdict."""
    fairness: str
    """Why this rule is the fair reading of the statement."""
    readings: dict[str, bool | None]
    """Whether each interpretation, or each part, of the statement holds; null if the evidence decides neither."""
    quantities: list[QuantityAnswer]
    """The numbers behind the verdict."""
    figures: list[dict[str, Any]]
    """Figures to draw: title, axes, and for each curve x, y and optionally a band."""
    presets: list[PresetAnswer]
    """Its experiments as presets."""
    jobs: list[LessonJob]
    """The jobs submitted last."""
    judged_at: datetime | None
    """Time at which the jobs submitted last were judged; null before, also where an earlier verdict is shown."""
    links: dict[str, str]
    """Paths of related resources."""


class BestSettingsAnswer(Answer):
    """The fastest constant hyper-parameters of a method between the smallest and the largest curvature."""

    kind: str
    """Kind of optimizer."""
    lr: float
    """Its best learning rate."""
    momentum: float
    """Its best momentum; 0 for gradient descent without momentum."""
    rate: float
    """Factor of the error per update."""


class ProblemTheory(Answer):
    """Curvatures at a minimum, and the best hyper-parameters for them. Coupled weight decay is part of the loss."""

    minimum: list[float] | None
    """Position of the minimum; null if descent from the start reaches none, and on data."""
    smallest: float | None
    """Smallest curvature: eigenvalue of the Hessian at the minimum, or at the start without a minimum."""
    largest: float | None
    """Largest curvature."""
    minimum_loss: float | None
    """Loss at the minimum, without weight decay; null where it is not known."""
    condition_number: float | None
    """Ratio of the largest to the smallest curvature other than 0; null without a minimum."""
    unscaled_condition_number: float | None
    """Of a linear model on data: the condition number of the same problem without scaling; null on other problems."""
    spectrum: list[float]
    """Eigenvalues of the Hessian, smallest first: at most 200, evenly by rank. Of a model on data, equal ones of
    directions that the data do not change stand once, and those of more than 2,000 coordinates are the extreme ones."""
    best: list[BestSettingsAnswer]
    """The best constant hyper-parameters of each method, without dampening; empty without a minimum."""
    notes: list[str]
    """Sentences on what has no value, and why."""


class SettingTheory(Answer):
    """Theory of one setting; null where theory has no formula."""

    kind: str
    """Kind of optimizer."""
    lr: float
    """The learning rate."""
    sharpness_ceiling: Number | None
    """Largest curvature of the loss at which full-batch training is stable; for Adam, the preconditioned curvature."""
    lr_limit: Number | None
    """Learning rate from which on runs are unstable; null at a negative curvature, where every one is unstable."""
    inside: bool | None
    """Whether the setting is stable. A direction of curvature 0 is neutral."""
    rate: float | None
    """Asymptotic factor of the error per update along directions of curvature; above 1 the error grows."""
    oscillates: bool | None
    """Whether the error changes its sign."""
    critical_momentum: float | None
    """Critically damped momentum: the fastest at this learning rate; above it, the slowest direction oscillates."""
    stationary_loss: Number | None
    """Mean recorded loss above its minimum in the stationary state, under the noise of the problem."""
    notes: list[str]
    """Sentences on what has no value, and why."""


class TheoryAnswer(Answer):
    """Limits and best settings of an optimizer on a problem, without training."""

    exact: bool
    """Whether the curvature is constant; if not, theory holds near the minimum."""
    problem: ProblemTheory
    """Theory of the problem, independent of the setting."""
    setting: SettingTheory
    """Theory of the setting on this problem."""


class MinimumAnswer(Answer):
    """A minimum of a surface."""

    position: list[float]
    """Its coordinates."""
    value: float | None
    """The loss there."""


class LandscapeAnswer(Answer):
    """A map of a surface, its minima, and gradients at points."""

    dimension: int
    """Number of variables."""
    formula: str | None
    """The formula in x and y; null for a quadratic."""
    mathml: str | None
    """The formula as presentation MathML; null for a quadratic."""
    program: Program | None
    """The operations of the formula and of its gradient, with its letters as inputs; null for a quadratic."""
    x: list[float] | None
    """Values of x on the map; null if no map was requested."""
    y: list[float] | None
    """Values of y on the map; null in one dimension."""
    loss: list[list[Number]] | list[Number] | None
    """The loss at `y[row]` and `x[column]`, row by row; in one dimension at each `x`."""
    minima: list[MinimumAnswer]
    """Known minima; for a formula the minimum that descent from its start reaches, if any."""
    gradients: list[list[Number]]
    """The gradient at each of `points`, in the same order."""
