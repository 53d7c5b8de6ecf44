"""What the catalogue and the operations answer, described field by field."""

from typing import Any, Literal

from service.api.schemas.answers import Answer


class CatalogueEntry(Answer):
    """A problem, an optimizer or a schedule that a job may have."""

    kind: str
    """What the spec calls it."""
    title: str
    """What people call it."""
    description: str
    """What it does, in a sentence."""
    formula: str
    """What is computed."""
    reference: str
    """Where it was published."""
    parameters: dict[str, Any]
    """JSON Schema of its other fields, with ranges, defaults and a sentence each."""


class OptimizerInfo(CatalogueEntry):
    """An optimizer that a job may have."""

    state_per_parameter: int
    """Numbers that it keeps for each parameter, besides the parameter itself."""
    learning_rates: dict[str, float]
    """Learning rates to begin with, by kind of problem; only the known ones."""
    has_theory: bool
    """Whether `POST /v1/theory` gives its limits."""


class SurfaceMinimum(Answer):
    """A known minimum of a surface."""

    position: list[float]
    """Where it is."""
    value: float
    """How low it is."""


class SurfaceInfo(Answer):
    """A surface that has a name."""

    name: str
    """What the spec calls it."""
    title: str
    """What people call it."""
    formula: str
    """The formula, as `expression` takes it."""
    domain: list[list[float]]
    """From and to, for each variable: where it is usually drawn."""
    minima: list[SurfaceMinimum]
    """All known minima of the least value."""
    start: list[float]
    """Where runs start by default."""
    description: str
    """What it is known for."""
    reference: str
    """Where it was published."""


class ProblemInfo(CatalogueEntry):
    """A kind of problem that a job may have."""

    surfaces: list[SurfaceInfo] | None = None
    """The surfaces that have names; only for the kind `surface`."""
    is_landscape: bool
    """Whether it is a loss of coordinates rather than a network: an epoch is one update."""
    has_test_data: bool
    """Whether its runs record `test_loss` and `test_accuracy`."""
    has_decision: bool
    """Whether its runs have a decision map, `GET /v1/runs/{run}/decision`."""


class Catalogue(Answer):
    """What all lists of the catalogue share: they are short, and have one page."""

    next: None
    """Null: there is no other page."""


class OptimizerList(Catalogue):
    """All optimizers."""

    items: list[OptimizerInfo]
    """Each with its parameters."""


class ProblemList(Catalogue):
    """All kinds of problem."""

    items: list[ProblemInfo]
    """Each with its parameters."""


class ScheduleList(Catalogue):
    """All schedules."""

    items: list[CatalogueEntry]
    """Each with its parameters."""


class Health(Answer):
    """How the service is."""

    status: Literal["ok", "ready"]
    """`ok`: the process is up; `ready`: database and broker are reachable too."""
    version: str
    """The version that runs."""
