"""What is known of a linear model on data before it is trained: curvatures, and the minimum.

A worker computes it (worker/data/linear/), once for each content; service/database/datasets/known_minima.py stores it.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of the Hessian at a minimum.

    Attributes:
        values: Eigenvalues other than 0, smallest first; equal ones of directions that data do not change stand once.
        num_curved: Directions with these eigenvalues.
        num_flat: Directions of eigenvalue 0.
        is_whole: Whether all eigenvalues are listed; otherwise the smallest, where it is known, and the largest.
        has_smallest: Whether the first value is the smallest.
    """

    values: tuple[float, ...]
    num_curved: int
    num_flat: int
    is_whole: bool = True
    has_smallest: bool = True

    @property
    def condition_number(self) -> float | None:
        """The largest value divided by the smallest; None where one of them is unknown."""
        return self.values[-1] / self.values[0] if self.values and self.has_smallest else None


@dataclass(frozen=True, eq=False)
class LinearTheory:
    """Curvatures and minimum of a linear model on data.

    Attributes:
        spectrum: Curvatures at the minimum; None without one.
        unscaled: Those of the same problem with `scale` none; None where that has no minimum.
        loss: The least loss.
        minimum_D: The weights of a minimiser, with as small a norm as any.
        reason: A sentence on why there is no minimum, or no smallest curvature; empty where nothing is missing.
    """

    spectrum: Spectrum | None
    unscaled: Spectrum | None = None
    loss: float | None = None
    minimum_D: NDArray[np.float64] | None = None
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give everything but the weights as JSON."""
        return {
            "spectrum": None if self.spectrum is None else vars(self.spectrum),
            "unscaled": None if self.unscaled is None else vars(self.unscaled),
            "loss": self.loss,
            "reason": self.reason,
        }

    @classmethod
    def of(cls, found: dict[str, Any], minimum: bytes | None) -> Self:
        """Read what ``as_dict`` gave, with the bytes of the weights."""
        parts = {
            name: None if found[name] is None else Spectrum(**{**found[name], "values": tuple(found[name]["values"])})
            for name in ("spectrum", "unscaled")
        }
        weights_D = None if minimum is None else np.frombuffer(minimum, dtype="<f8").astype(np.float64)
        return cls(**parts, loss=found["loss"], minimum_D=weights_D, reason=found["reason"])
