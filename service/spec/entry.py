"""What all entries of a job's optimizers have: label, learning rate, schedules, clipping."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, get_args

from pydantic import Field

from service.spec.fields import NO_ZERO_CHARACTER, Grid, Interval, Strict, Within
from service.spec.schedules import Constant, Schedule
from service.spec.spaces import default_space

LearningRate = Annotated[Grid, Within(gt=0)]
Beta = Annotated[Grid, Within(ge=0, lt=1)]
NotNegative = Annotated[Grid, Within(ge=0)]
Positive = Annotated[Grid, Within(gt=0)]
WeightDecay = Annotated[NotNegative, Field(description="Adds weight_decay × w to the gradient (an L2 penalty).")]
DecoupledDecay = Annotated[
    NotNegative, Field(description="Share of the weights, times lr, that is subtracted at each update.")
]
Decoupled = Annotated[
    bool, Field(description="Subtract weight decay from the weights instead of adding it to the gradient.")
]
Eps = Annotated[NotNegative, Field(description="Added to the denominator, so that it is never zero.")]
Memory1 = Annotated[Beta, Field(description="Memory of the mean of gradients.")]
Memory2 = Annotated[Beta, Field(description="Memory of the mean of squared gradients.")]
Limit = Annotated[float, Field(gt=0)]
_GRID = get_args(Grid)[0]


class Entry(Strict):
    """One entry of a job's optimizers: a kind, its hyper-parameters (numbers, lists, ranges or intervals), a label."""

    # A kind adds only hyper-parameters (annotated as `Grid`) and flags (`bool`).
    grid_names: ClassVar[tuple[str, ...]]
    flag_names: ClassVar[tuple[str, ...]]
    # Fields that are neither; only the kind that users define has some.
    other_names: ClassVar[tuple[str, ...]] = ()

    title: ClassVar[str]
    # Name in sentences, figures and choices; by default the title.
    short_name: ClassVar[str]
    formula: ClassVar[str]
    reference: ClassVar[str]
    # Numbers of state for each parameter; a flag or a momentum may need more.
    state_per_parameter: ClassVar[int]
    # The hyper-parameter that a momentum schedule multiplies; None where the method has none.
    scheduled_momentum: ClassVar[str | None] = None
    needs_matrices: ClassVar[bool] = False
    # The method as an update rule, with hyper-parameters by their names and flags at their defaults: where its states
    # start, and the assignments. None where it takes more than a rule can say.
    own_state: ClassVar[Mapping[str, float]] = {}
    own_update: ClassVar[tuple[str, ...] | None] = None
    # The class in torch.optim or pytorch_optimizer that computes the same; None where there is no such class.
    torch_class: ClassVar[str | None]
    # Defaults of the class that are not those of the kind, and what its user has to know.
    torch_defaults: ClassVar[Mapping[str, float]] = {}
    torch_notes: ClassVar[tuple[str, ...]] = ()

    kind: str = Field(description="The optimizer's name.")
    label: str | None = Field(
        None,
        pattern=NO_ZERO_CHARACTER,
        min_length=1,
        max_length=100,
        description="Label of its runs; by default the kind.",
    )
    lr: LearningRate = Field(
        default_factory=lambda given: default_space(given.get("kind", ""))["lr"],
        description="Learning rate: the length of a step per unit of gradient; by default the interval of the kind's "
        "`default_space`, from which `search` draws.",
    )
    maximize: bool = Field(
        False,
        description="Maximise the loss: the sign of the gradient is reversed. The same in all entries of a job.",
    )
    clip_norm: Limit | None = Field(
        None,
        description="Largest norm of a gradient; a longer gradient is scaled down to it, run by run. null is no limit.",
    )
    clip_value: Limit | None = Field(
        None, description="Largest absolute component of a gradient, applied before clip_norm. null is no limit."
    )
    schedule: Schedule = Field(Constant(), description="How the learning rate changes during a run.")
    momentum_schedule: Schedule = Field(Constant(), description="How the momentum changes during a run.")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Sort the fields of a kind by their annotations, and reject one that is neither a grid nor a flag."""
        if "title" in cls.__dict__ and "short_name" not in cls.__dict__:
            cls.short_name = cls.title
        annotations = {name: field.annotation for name, field in cls.model_fields.items()}
        cls.grid_names = tuple(name for name, kind in annotations.items() if kind == _GRID)
        cls.flag_names = tuple(name for name, kind in annotations.items() if kind is bool)
        if other := annotations.keys() - {*cls.grid_names, *cls.flag_names, *cls.other_names, *Entry.model_fields}:
            raise TypeError(f"{cls.__name__}: {sorted(other)} must be a Grid or a bool.")

    def grids(self) -> dict[str, Any]:
        """Give the numeric hyper-parameters (numbers, lists, ranges, intervals) in the order in which they nest."""
        return {name: getattr(self, name) for name in self.grid_names}

    @property
    def written(self) -> list[str]:
        """Names of the hyper-parameters that the body of the request has."""
        return [name for name in self.grids() if name in self.model_fields_set]

    @property
    def written_flags(self) -> dict[str, bool]:
        """Flags that the body of the request has and that tell entries of one kind apart."""
        return {
            name: value for name, value in self.flags().items() if name in self.model_fields_set and name != "maximize"
        }

    @property
    def method(self) -> str:
        """Common name of the method."""
        return self.title

    @property
    def momentum_name(self) -> str | None:
        """Name of the hyper-parameter that a momentum schedule multiplies; None where there is none."""
        return self.scheduled_momentum

    def resolved(self, values: Mapping[str, float]) -> dict[str, Any]:
        """Give the entry without its label, as the API shows it, with these values of its hyper-parameters."""
        return {**self.model_dump(mode="json", exclude={"label"}), **values}

    @property
    def is_searched(self) -> bool:
        """Whether trials are drawn for the entry: whether it has an interval."""
        return any(isinstance(grid, Interval) for grid in self.grids().values())

    def flags(self) -> dict[str, bool]:
        """Give the flags, which are the same for every run of the entry."""
        return {name: getattr(self, name) for name in self.flag_names}

    def clipping(self) -> dict[str, float]:
        """Give the limits of the gradient that are set, the same for every run of the entry."""
        limits = {"clip_norm": self.clip_norm, "clip_value": self.clip_value}
        return {name: limit for name, limit in limits.items() if limit is not None}
