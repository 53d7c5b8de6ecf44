"""The minimum at which theory is evaluated: its curvatures, and the loss there."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.findings.curvature import NO_PENALTY, Penalty, eigenvalues_at, is_quadratic
from service.findings.minimum import minimum_near
from service.spec.problems import Quadratic, Surface


@dataclass(frozen=True)
class TheoryPoint:
    """A minimum of the loss with its penalty, or the point that is used in its place.

    ``eigenvalues`` are the curvatures there, smallest first, with weight decay; a vanishing one is exactly 0.
    ``excess`` is the loss there above the minimum of the loss without penalty, None if that has no minimum.
    """

    position: list[float] | None
    eigenvalues: list[float] | None
    loss: float = 0.0
    excess: float | None = None
    penalty: Penalty = NO_PENALTY
    is_exact: bool = False
    origin: str | None = None

    @property
    def curved(self) -> list[float]:
        """List the curvatures other than 0."""
        return [value for value in self.eigenvalues or [] if value != 0]

    @property
    def is_minimum(self) -> bool:
        """Whether this is a minimum, with known curvatures."""
        return self.position is not None

    @property
    def least_loss(self) -> float | None:
        """The loss at the minimum, without penalty; None without one."""
        return None if self.position is None else self.loss

    @property
    def unscaled_condition_number(self) -> float | None:
        """Of a model on data: the condition number without scaling."""
        return None

    @property
    def is_pulled(self) -> bool:
        """Whether weight decay moves the minimum."""
        return self.position is not None and bool(abs(self.penalty.offset(self.position)).max() > 1e-12)

    def notes(self) -> list[str]:
        """Give the sentences on what has no value at this point."""
        if self.origin is None:
            return ["The curvatures of a network change during training: only sharpness ceilings are known."]
        if self.eigenvalues is None:
            return [f"No minimum was found from {self.origin}, and the curvature there is not finite."]
        notes = []
        if self.position is None:
            notes.append(f"No minimum was found from {self.origin}; the numbers hold near it.")
        total, num_flat = len(self.eigenvalues), len(self.eigenvalues) - len(self.curved)
        if num_flat == total and self.is_exact:
            notes.append("All curvatures are 0: the gradient is constant, so no learning rate is unstable.")
        elif num_flat == total:
            notes.append("The curvature vanishes there: theory has no limit, no rate and no best setting.")
        elif num_flat:
            notes.append(
                f"The curvature vanishes along {num_flat} of {total} directions. These directions are neutral; limits, "
                "rates, condition number and best settings are those of the other directions."
            )
        return notes


# Networks have no known minimum.
NOWHERE = TheoryPoint(None, None)


def nearest_point(
    problem: Surface | Quadratic,
    point: Sequence[float],
    penalty: Penalty = NO_PENALTY,
    *,
    origin: str = "the start",
) -> TheoryPoint:
    """Give the minimum that descent from a point reaches, or the point itself if it reaches none."""
    is_exact = is_quadratic(problem)
    minimum = minimum_near(problem, point, penalty)
    if minimum is None:
        eigenvalues = eigenvalues_at(problem, point, penalty)
        return TheoryPoint(None, eigenvalues, penalty=penalty, is_exact=is_exact, origin=origin)
    position, loss = minimum
    least = minimum_near(problem, position) if penalty.decay else minimum
    excess = None if least is None else max(0.0, loss - least[1])
    return TheoryPoint(
        position, eigenvalues_at(problem, position, penalty), loss, excess, penalty, is_exact, origin
    )  # fmt: skip
