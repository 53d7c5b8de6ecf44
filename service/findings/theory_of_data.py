"""The minimum of a linear model on data as theory needs it."""

from dataclasses import dataclass

from service.analysis.linear_theory import LinearTheory
from service.database.datasets.known_minima import has_theory
from service.findings.curvature import Penalty
from service.findings.theory_points import NOWHERE, TheoryPoint
from service.spec.models import Linear
from service.spec.problems import Data

NOT_YET = "A worker computes the curvatures when it begins to train on these data: they are not known yet."
NOISY = "Every seed has other wrong labels, so that every run has another minimum: only sharpness ceilings are known."
DECAYED = "Weight decay moves the minimum, and the curvatures there are not known: l2 of the problem has theory."


@dataclass(frozen=True)
class DataPoint(TheoryPoint):
    """A minimum whose weights are left out of answers.

    ``num_flat`` of ``num_directions`` directions leave the loss unchanged; ``reason`` names what is missing.
    """

    num_flat: int = 0
    num_directions: int = 0
    has_smallest: bool = True
    unscaled: float | None = None
    reason: str = ""

    @property
    def is_minimum(self) -> bool:
        """Whether the smallest and the largest curvature at the minimum are known."""
        return bool(self.curved) and self.has_smallest

    @property
    def is_pulled(self) -> bool:
        """Whether weight decay moves the minimum."""
        return self.penalty.decay != 0

    @property
    def least_loss(self) -> float | None:
        """The loss at the minimum; None where that is not known."""
        return None if self.eigenvalues is None or self.is_pulled or not self.has_smallest else self.loss

    @property
    def unscaled_condition_number(self) -> float | None:
        """The condition number of the same problem without scaling."""
        return None if self.is_pulled else self.unscaled

    def notes(self) -> list[str]:
        """Give the sentences on what has no value."""
        notes = [self.reason] if self.reason else []
        if self.eigenvalues is not None and self.num_flat and not self.is_pulled:
            notes.append(
                f"The loss never changes along {self.num_flat} of {self.num_directions} directions. Limits, rates, "
                "condition number and best settings are those of the other directions."
            )
        return notes


def data_point(problem: Data, known: LinearTheory | None, decay: float = 0.0) -> TheoryPoint:
    """Give the minimum of a resolved problem, from what a worker has stored, with coupled weight decay."""
    if not isinstance(problem.model, Linear):
        return NOWHERE
    is_exact = not problem.is_classification
    penalty = Penalty(decay)
    if known is None or known.spectrum is None:
        reason = NOISY if not has_theory(problem) else NOT_YET if known is None else known.reason
        return DataPoint(None, None, penalty=penalty, is_exact=is_exact, reason=reason)
    if decay and not is_exact:
        return DataPoint(None, None, penalty=penalty, reason=DECAYED)
    found = known.spectrum
    flat = [decay] if found.num_flat else []
    return DataPoint(
        None,
        sorted(flat + [value + decay for value in found.values]),
        loss=known.loss or 0.0,
        penalty=penalty,
        is_exact=is_exact,
        num_flat=found.num_flat,
        num_directions=found.num_flat + found.num_curved,
        has_smallest=found.has_smallest,
        unscaled=None if known.unscaled is None else known.unscaled.condition_number,
        reason=known.reason,
    )
