"""Models of answers of the catalogue and of the operations."""

from typing import Any, Literal

from service.api.schemas.answers import Answer
from service.spec.criteria import Criterion, Scale
from service.spec.fields import Interval


class CatalogueEntry(Answer):
    """A kind of problem, optimizer or schedule."""

    kind: str
    """Its name in a spec."""
    title: str
    """Its common name."""
    description: str
    """What it does, as a sentence."""
    formula: str
    """Its formula."""
    reference: str
    """Its publication."""
    parameters: dict[str, Any]
    """JSON Schema of its other fields, with ranges, defaults and descriptions."""


class Program(Answer):
    """A formula as the operations that compute it, for programs that execute it without parsing."""

    operations: list[list[str | float]]
    """In order: `["constant", number]`, `["input", name]`, or an operation and the numbers of the operations that are
    its operands, counted from 0. Operations are `negative`, `+`, `-`, `*`, `/`, `pow`, the comparisons `<`, `<=`, `==`,
    `!=`, and the functions of formulas. `slope*` and `slope/` multiply and divide, and are 0 where the first operand
    is."""
    outputs: dict[str, int]
    """The numbers of the results by name: `value` and the gradient `x`, `y` of a surface; the new `w` and states of an
    optimizer."""


class FormulaProgram(Answer):
    """An update rule of the caller's as a program."""

    update: list[str]
    """The assignments in the normal form, with parentheses."""
    program: Program
    """Their operations: from `w`, `g`, `t`, `lr`, `normal`, states and parameters to the new `w` and states."""


class SurfaceFormulaAnswer(Answer):
    """A formula of a surface as it is read."""

    expression: str
    """Its normal form: every operator is written."""
    dimension: int
    """Number of variables: 1 without y."""
    letters: list[str]
    """Letters other than x, y and e: each needs a number in `parameters`."""
    mathml: str
    """The formula as presentation MathML."""


class OfferedClass(Answer):
    """An installed class that live workers offer as a kind."""

    class_name: str
    """Its package and its name."""
    package: str
    """The distribution that has it, with its version."""
    entry: dict[str, Any]
    """A complete entry to start from, with the defaults of the class."""
    run_by_run: bool
    """Whether each run has an optimizer of its own, which costs time; else all runs of a setting share one."""
    run_by_run_with: list[str]
    """Hyper-parameters that make each run have its own: a flag that is not at its default, a number that is zero where
    the default is not, or the other way round."""
    left_out: dict[str, str]
    """Arguments of the class that are no hyper-parameters, each with the reason."""


class OptimizerInfo(CatalogueEntry):
    """A kind of optimizer."""

    short_name: str
    """Its name in sentences, figures and choices, such as SGD."""
    state_per_parameter: float
    """Numbers of state per parameter, without the parameter itself; of an offered class as measured on a network."""
    learning_rates: dict[str, float]
    """Learning rates to begin with, by kind of problem; only the known ones."""
    default_space: dict[str, Interval]
    """What the bare kind searches, by hyper-parameter; an entry without `lr` searches its `lr`."""
    has_theory: bool
    """Whether `POST /v1/theory` gives its limits."""
    as_formula: dict[str, Any] | None
    """The kind as an entry of kind `formula`, to start an own optimizer from; null where a rule cannot express it."""
    program: Program | None
    """The operations of `as_formula`."""
    offered: OfferedClass | None
    """Of a kind that workers offer from an installed class; null for kinds of the service."""


class SurfaceMinimum(Answer):
    """A known minimum of a surface."""

    position: list[float]
    """Its coordinates."""
    value: float
    """The loss there."""


class SurfaceInfo(Answer):
    """A named surface."""

    name: str
    """Its name in a spec."""
    title: str
    """Its common name."""
    formula: str
    """Its formula, in the syntax of `expression`."""
    program: Program
    """The operations of the formula and of its gradient."""
    domain: list[list[float]]
    """Usual range of each variable in drawings: lower and upper end."""
    minima: list[SurfaceMinimum]
    """All known global minima."""
    start: list[float]
    """Default start of runs."""
    scale: Scale
    """Scale of its losses as criteria: `log` where no point of the plane is lower than the minima."""
    description: str
    """Its characteristic property."""
    reference: str
    """Its publication."""


class CriterionInfo(Answer):
    """A criterion by which labels are compared."""

    name: Criterion
    """Its name in a spec."""
    scale: Scale | None
    """`log`: differences are of logarithms. `linear`: of values. null: `surfaces` has the scale of each named surface;
    formulas are `linear`, quadratics `log` unless an eigenvalue is negative."""


class ProblemInfo(CatalogueEntry):
    """A kind of problem."""

    surfaces: list[SurfaceInfo] | None = None
    """The named surfaces; only for the kind `surface`."""
    is_landscape: bool
    """Whether it is a loss of coordinates rather than a network: an epoch is one update."""
    has_test_data: bool
    """Whether its runs record `test_loss` and `test_accuracy`."""
    has_decision: bool
    """Whether its runs have a decision map, `GET /v1/runs/{run}/decision`."""
    default_epochs: int
    """Epochs of a job that gives none."""
    default_batch_size: int | None
    """Batch size of a job that gives none; null of landscapes, and where it depends on the data."""
    criteria: list[CriterionInfo]
    """What labels can be compared by."""
    default_criterion: Criterion
    """Criterion of a job that declares none."""
    targets: list[float]
    """Losses to reach, from easy to hard; empty for surfaces and quadratics, whose losses depend on the start."""


class Catalogue(Answer):
    """Base of the lists of the catalogue, which have one page."""

    next: None
    """Always null: there is one page."""


class OptimizerList(Catalogue):
    """All optimizers."""

    items: list[OptimizerInfo]
    """The kinds with their parameters."""


class ProblemList(Catalogue):
    """All kinds of problem."""

    items: list[ProblemInfo]
    """The kinds with their parameters."""


class ScheduleList(Catalogue):
    """All schedules."""

    items: list[CatalogueEntry]
    """The kinds with their parameters."""


class Health(Answer):
    """State of the process."""

    status: Literal["ok", "ready"]
    """`ok`: the process runs; `ready`: database and broker are reachable too."""
    version: str
    """Version of the service."""
