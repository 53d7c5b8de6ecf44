"""What an objective may offer besides its loss: other examples, the nearest minimum, decision values, a poll."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from worker.engine.protocols import Objective, Poll, Problem


@runtime_checkable
class TestedObjective(Protocol):
    """An objective with test examples."""

    def test(self, weights_DR: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and score [R] on the test examples."""
        ...


@runtime_checkable
class ValidatedObjective(Protocol):
    """An objective with examples by which settings are chosen."""

    def validation_loss(self, weights_DR: Tensor) -> Tensor:
        """Loss [R] on the validation examples."""
        ...


@runtime_checkable
class NearestObjective(Protocol):
    """An objective whose minima fill a space: the nearest one is not that of a list."""

    def distance_to_minimum(self, weights_DR: Tensor) -> Tensor:
        """The distance [R] to the nearest minimum; of problems with a known minimum only."""
        ...


@runtime_checkable
class PollingObjective(Protocol):
    """An objective whose evaluation may take seconds and polls during it."""

    poll: Poll


@runtime_checkable
class PlaneObjective(Protocol):
    """An objective whose networks classify every point of a plane."""

    def decision(self, weights_DR: Tensor) -> Tensor:
        """The probability of class 1 [R, y, x] on a grid."""
        ...


def on_other_examples(problem: Problem, objective: Objective, point_DR: Tensor) -> dict[str, Tensor]:
    """The fields [R] of validation and test examples, where the problem has them."""
    fields: dict[str, Tensor] = {}
    if problem.has_validation and isinstance(objective, ValidatedObjective):
        fields["validation_loss"] = objective.validation_loss(point_DR)
    if problem.has_test and isinstance(objective, TestedObjective):
        fields["test_loss"], fields[f"test_{problem.score}"] = objective.test(point_DR)
    return fields
