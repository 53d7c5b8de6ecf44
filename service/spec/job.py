"""The spec of a job: a comparison of optimizers on one problem, validated, with its defaults filled in."""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from service.spec.bare_kinds import BareKind, with_drawn_starts
from service.spec.batch_size import BatchSize
from service.spec.criteria import Criterion, available
from service.spec.decide import Decide, objections, with_first_seeds
from service.spec.entry_list import check_direction, labelled
from service.spec.fields import NO_ZERO_CHARACTER, Strict
from service.spec.measures import Measures
from service.spec.metric_fields import MEASURES
from service.spec.misfits import misfits
from service.spec.offered_kinds import OfferedKind
from service.spec.optimizers import Optimizer
from service.spec.problems import Problem
from service.spec.search import USUAL, Search
from service.spec.seeds import SeedRange, Seeds
from service.spec.training_rows import objections as row_objections
from service.spec.training_rows import with_validation

# Seeds of a job with a search: half of them choose the settings, the others judge them.
SEARCH_SEEDS = 20


class JobSpec(Strict):
    """A comparison: all settings of all optimizers have the same seeds and the same starts."""

    name: Annotated[str, StringConstraints(max_length=200, pattern=NO_ZERO_CHARACTER)] = Field(
        "", description="Name of the job; by default its optimizers and its problem."
    )
    problem: Problem = Field(description="The problem to train on.")
    optimizers: list[Annotated[Optimizer, BareKind(), OfferedKind()]] = Field(
        min_length=1,
        max_length=64,
        description='The optimizers to compare. A bare kind, such as "adam", searches the whole `default_space` of its '
        "kind; an entry without `lr` searches its learning rate. Kinds that workers offer are in `GET /v1/optimizers`.",
    )
    search: Search = Field(
        USUAL,
        exclude_if=lambda search: search == USUAL,
        description="How trials are drawn for the entries that have an interval.",
    )
    seeds: Seeds = Field(
        [0],
        description="Seeds of initial weights, data order and noise, the same for every optimizer. By default 0 to 19 "
        "if an entry has an interval, else 0.",
        validate_default=True,
    )
    epochs: int = Field(
        30,
        ge=1,
        le=10_000_000,
        description="Passes over the data; on a surface or quadratic one epoch is one update. By default the "
        "`default_epochs` of the problem: 30 for flipnet, 200 for surfaces and quadratics, 20 for other networks.",
    )
    batch_size: BatchSize = Field(
        1,
        description="Examples for each gradient; 'full' takes all, without noise. By default the problem's own: 32 for "
        "digits and data, full for linear models, 16 for the playground, else 1.",
    )
    accumulate: int = Field(1, ge=1, le=10_000, description="Micro-batches for each update.")
    shuffle: bool = Field(
        False,
        description="Reorder the data each epoch, by seed. By default the problem's own: true for networks "
        "but flipnet.",
    )
    record_every: int = Field(
        1, ge=1, le=10_000_000, description="Keep every n-th epoch; the first and the last are always kept."
    )
    dtype: Literal["float32", "float64"] = Field(
        "float32",
        description="Arithmetic of the run: float32 for networks, float64 for linear models, surfaces and "
        "quadratics, unless given.",
    )
    measure: Measures = Field(
        default_factory=list,
        description="Extra fields that cost time: "
        + "; ".join(f"{name} ({meaning})" for name, meaning in MEASURES.items())
        + ".",
    )
    target_loss: float | None = Field(None, description="Default target of the comparison.")
    criterion: Criterion | None = Field(
        None,
        exclude_if=lambda criterion: criterion is None,
        description="What labels are compared by. By default test_loss where the problem has it, else final_loss.",
    )
    decide: Decide | None = Field(
        None,
        exclude_if=lambda decide: decide is None,
        description="Train seeds until every label has a verdict. `seeds` then are the first ones: `seeds.count`, by "
        "default `decide.batch`, from `seeds.first` on.",
    )
    time_limit_seconds: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="A job that trains longer than this fails; its rows are kept."
    )
    ttl_seconds: int | None = Field(
        None, ge=1, le=10 * 365 * 86_400, description="The job is deleted this long after it ends."
    )

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: Any) -> Any:
        return with_first_seeds(with_drawn_starts(value))

    @field_validator("search")
    @classmethod
    def _has_intervals(cls, search: Search, info: ValidationInfo) -> Search:
        entries = info.data.get("optimizers", [])
        if entries and search != USUAL and not any(entry.is_searched for entry in entries):
            raise PydanticCustomError(
                "search",
                "no optimizer has an interval to draw from: give a range without 'num', leave 'lr' out, or leave "
                "'search' out",
            )
        return search

    @field_validator("seeds")
    @classmethod
    def _different(cls, seeds: list[int] | SeedRange) -> list[int] | SeedRange:
        if isinstance(seeds, list) and len(set(seeds)) < len(seeds):
            raise PydanticCustomError("seeds", "every seed must be given once")
        return seeds

    @field_validator("optimizers")
    @classmethod
    def _labelled(cls, optimizers: list[Any]) -> list[Any]:
        return labelled(optimizers)

    @field_validator("optimizers")
    @classmethod
    def _one_direction(cls, optimizers: list[Any], info: ValidationInfo) -> list[Any]:
        # Stored jobs of earlier versions may have both directions.
        if not (info.context or {}).get("is_stored"):
            check_direction(optimizers)
        return optimizers

    @field_validator("batch_size")
    @classmethod
    def _has_as_many(cls, size: int | str, info: ValidationInfo) -> int | str:
        examples = info.data["problem"].num_examples if "problem" in info.data else None
        if examples is not None and isinstance(size, int) and size > examples:
            raise PydanticCustomError(
                "batch_size",
                "must be 'full' or from 1 to {examples} (got {size})",
                {"examples": examples, "size": size},
            )
        return size

    @field_validator("shuffle")
    @classmethod
    def _has_data(cls, shuffle: bool, info: ValidationInfo) -> bool:
        if shuffle and "problem" in info.data and info.data["problem"].num_examples is None:
            raise PydanticCustomError("shuffle", "must be false: this problem has no data to reorder")
        return shuffle

    @field_validator("criterion")
    @classmethod
    def _comparable(cls, criterion: Criterion | None, info: ValidationInfo) -> Criterion | None:
        if criterion is not None and "problem" in info.data:
            known = available(info.data["problem"])
            if criterion not in known:
                raise PydanticCustomError(
                    "criterion",
                    "this problem has no {criterion}; there are {known}",
                    {"criterion": criterion, "known": ", ".join(known)},
                )
        return criterion

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        object.__setattr__(self, "problem", with_validation(self.problem, self.optimizers, self.search))
        examples = self.problem.num_examples
        size = self.problem.default_batch_size
        defaults: dict[str, Any] = {
            "dtype": self.problem.default_dtype,
            "batch_size": size if isinstance(size, str) else min(size, examples or 1),
            "shuffle": self.problem.default_shuffle,
            "epochs": self.problem.default_epochs,
        }
        if any(entry.is_searched for entry in self.optimizers):
            defaults["seeds"] = SeedRange(first=0, count=SEARCH_SEEDS)
        for name, value in defaults.items():
            if name not in self.model_fields_set:
                object.__setattr__(self, name, value)
        if not self.name:
            labels = [entry.label or entry.kind for entry in self.optimizers]
            shown = ", ".join(labels[:4]) + (f" and {len(labels) - 4} more" if len(labels) > 4 else "")
            problem = getattr(self.problem, "name", None) or self.problem.kind
            object.__setattr__(self, "name", f"{shown} on {problem}"[:200])
        return self

    @model_validator(mode="after")
    def _fits(self) -> Self:
        updates = self.epochs * self.updates_per_epoch
        found: list[tuple[tuple[int | str, ...], str]] = [
            (("optimizers", number, *place), message)
            for number, entry in enumerate(self.optimizers)
            for place, message in misfits(entry, updates, self.epochs, has_matrices=self.problem.has_matrices)
        ]
        details = [
            InitErrorDetails(
                type=PydanticCustomError("misfit", "{message}", {"message": message}), loc=place, input=None
            )
            for place, message in (*found, *objections(self), *row_objections(self))
        ]
        if details:
            raise ValidationError.from_exception_data("job", details)
        return self

    @property
    def maximize(self) -> bool:
        """Whether the runs maximise the loss, which is the same for all entries."""
        return self.optimizers[0].maximize

    @property
    def updates_per_epoch(self) -> int:
        """Count the updates of an epoch: one per ``accumulate`` mini-batches; 1 without data."""
        examples = self.problem.num_examples
        if examples is None:
            return 1
        size = examples if isinstance(self.batch_size, str) else self.batch_size
        num_batches = -(-examples // size)
        return -(-num_batches // self.accumulate)

    @property
    def rows_per_run(self) -> int:
        """Count the rows of a run that is trained to its end: epoch 0, every ``record_every``-th, and the last."""
        return 1 + -(-self.epochs // self.record_every)

    def as_dict(self) -> dict[str, Any]:
        """Give the accepted spec with all defaults, ready for JSON; a job posted with it is equal."""
        return self.model_dump(mode="json", by_alias=True)

    def digest(self) -> str:
        """Compute the SHA-256 of the canonical JSON of the spec."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()
