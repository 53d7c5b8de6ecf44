"""The part of a spec that trains seeds until every label has a verdict, and what it needs from the rest of the spec."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from service.spec.criteria import quantity_of
from service.spec.entry_settings import num_settings
from service.spec.fields import Strict
from service.spec.optimizers.formula import Formula
from service.spec.seeds import MAX_SEED, SeedRange
from service.spec.starts import RandomStarts

if TYPE_CHECKING:
    from service.spec.job import JobSpec

MAX_DECIDE_SEEDS = 10_000
# Each look computes those before it again.
MAX_LOOKS = 1_000


class Decide(Strict):
    """Train seeds batch by batch, and stop as soon as every label has a verdict."""

    margin: float = Field(
        0.05, gt=0, le=1e300, description="Labels are equal if their difference is certainly smaller than this."
    )
    margin_kind: Literal["relative", "absolute"] = Field(
        "relative",
        description="relative: a share of the baseline's mean, 0.05 for 5 %; absolute: a difference in the unit of the "
        "criterion, on a logarithmic scale of natural logarithms.",
    )
    confidence: float = Field(
        0.95, ge=0.5, le=0.9999, description="Probability that no verdict is wrong, over all labels and all looks."
    )
    max_seeds: int = Field(
        500,
        ge=1,
        le=MAX_DECIDE_SEEDS,
        description="Most seeds to train; a label without a verdict then is undecided.",
    )
    batch: int = Field(10, ge=1, le=1_000, description="Seeds between two looks; also the default of `seeds.count`.")
    against: Literal["baseline", "best"] = Field(
        "baseline", description="Compare every label with the first one, or find the best label."
    )


def with_first_seeds(value: Any) -> Any:
    """Fill in the first seeds of a spec that decides: one batch from ``seeds.first`` on.

    ``value`` is a spec before its validation: any JSON value.
    """
    if not isinstance(value, dict) or not isinstance(decide := value.get("decide"), dict | Decide):
        return value
    seeds = value.get("seeds", {})
    if not isinstance(seeds, dict) or "count" in seeds:
        return value
    given = decide.batch if isinstance(decide, Decide) else decide.get("batch", Decide.model_fields["batch"].default)
    return {**value, "seeds": {"first": 0, **seeds, "count": given}} if isinstance(given, int) else value


def is_random(spec: "JobSpec") -> bool:
    """Whether a seed changes a run: always for networks, and on landscapes by noise, starts or update rules."""
    problem = spec.problem
    draws_starts = isinstance(getattr(problem, "starts", None), RandomStarts)
    by_rule = any(isinstance(entry, Formula) and entry.rule.is_random for entry in spec.optimizers)
    return not problem.is_landscape or bool(getattr(problem, "noise", 0.0)) or draws_starts or by_rule


def objections(spec: "JobSpec") -> Iterator[tuple[tuple[str | int, ...], str]]:
    """List the places of a spec that do not allow its ``decide``, each with the reason and the remedy."""
    if (decide := spec.decide) is None:
        return
    if not isinstance(spec.seeds, SeedRange):
        yield ("seeds",), "a job that decides trains seeds one after the other: give {'first': …}, not a list"
    else:
        count, last = spec.seeds.count, spec.seeds.first + decide.max_seeds - 1
        if count > decide.max_seeds:
            yield ("decide", "max_seeds"), f"must be at least seeds.count, {count} (got {decide.max_seeds})"
        elif count == decide.max_seeds and any(num_settings(entry, spec.search) > 1 for entry in spec.optimizers):
            yield (
                ("decide", "max_seeds"),
                f"must be more than seeds.count, {count}: the first seeds choose the settings",
            )
        elif (decide.max_seeds - count) // decide.batch > MAX_LOOKS:
            yield ("decide", "batch"), f"there would be more than {MAX_LOOKS:,} looks: make 'batch' larger"
        if last > MAX_SEED:
            yield ("decide", "max_seeds"), f"the last seed must be at most {MAX_SEED} (got {last})"
    if len(spec.optimizers) < 2:
        yield ("optimizers",), "a job that decides compares at least two labels"
    quantity = quantity_of(spec.problem, spec.criterion, maximize=spec.maximize)
    if quantity.name == "epochs_to_target" and spec.target_loss is None:
        yield ("target_loss",), "must be given: the criterion epochs_to_target counts the epochs to it"
    if not is_random(spec):
        yield ("problem",), "nothing is drawn by the seed, so all seeds give the same: give 'noise' or random 'starts'"
    if decide.margin_kind == "relative" and not quantity.is_size:
        yield (
            ("decide", "margin_kind"),
            f"{quantity.name} has no least value here, so a share of its mean is no size to go by: give an absolute "
            "margin",
        )
