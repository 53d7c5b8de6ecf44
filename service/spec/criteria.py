"""Criteria by which labels are compared: which a problem has, the default, the scale, and the published target losses.

The scale is ``log`` where a criterion is a positive size: epochs, and losses measured from a known least loss.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from service.spec.problems import Problem

Criterion = Literal["final_loss", "best_loss", "test_loss", "test_accuracy", "loss_area", "epochs_to_target"]
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)
Scale = Literal["log", "linear"]
# Criteria that are fields of the rows; a problem has them where its rows have the field.
_FIELDS = ("test_loss", "test_accuracy")


def available(problem: Problem) -> tuple[Criterion, ...]:
    """List the criteria of a problem, in the order of `CRITERIA`."""
    return tuple(name for name in CRITERIA if name not in _FIELDS or name in problem.fields)


def default_criterion(problem: Problem) -> Criterion:
    """Give the criterion of a comparison that declares none."""
    return "test_loss" if "test_loss" in available(problem) else "final_loss"


def least_loss(problem: Problem) -> float | None:
    """Give the loss below which no point lies; None where it is unknown or the loss has no bound."""
    return problem.least_loss


def scale_of(problem: Problem, criterion: Criterion) -> Scale:
    """Give the scale on which differences of a criterion are taken."""
    if criterion == "test_accuracy":
        return "linear"
    return "log" if criterion == "epochs_to_target" or least_loss(problem) is not None else "linear"


@dataclass(frozen=True)
class Quantity:
    """A criterion with its scale and its direction.

    Attributes:
        larger_is_better: Whether a larger value is better.
        least: Known least value, from which a logarithmic criterion is measured.
    """

    name: Criterion
    scale: Scale
    larger_is_better: bool
    least: float

    @property
    def is_size(self) -> bool:
        """Whether a share of a mean is a size to go by: on a logarithmic scale, and of an accuracy."""
        return self.scale == "log" or self.name == "test_accuracy"


def quantity_of(problem: Problem, name: Criterion | None, *, maximize: bool) -> Quantity:
    """Describe a criterion, by default the problem's."""
    chosen = name or default_criterion(problem)
    maximized = maximize and chosen not in ("epochs_to_target", "test_accuracy")
    # A least loss is no bound that a job which maximises could be measured from.
    scale: Scale = "linear" if maximized else scale_of(problem, chosen)
    least = least_loss(problem) if scale == "log" and chosen != "epochs_to_target" else 0.0
    return Quantity(chosen, scale, maximized or chosen == "test_accuracy", least or 0.0)


def targets(problem: Problem) -> tuple[float, ...]:
    """List the published losses to reach, from easy to hard; empty for landscapes, whose losses depend on the start."""
    return problem.targets
