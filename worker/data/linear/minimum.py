"""The minimum of a linear model as the engine measures distances to it."""

import numpy as np

from service.analysis.linear_theory import LinearTheory
from service.spec.problems.data import Data
from worker.data.linear.design import design
from worker.engine.supervised.minimum import Minimum
from worker.engine.supervised.setup import Examples


def minimum_of(problem: Data, training: Examples, theory: LinearTheory | None) -> Minimum | None:
    """Give the minimum of a resolved problem, with the directions along which its loss never changes."""
    if theory is None or theory.minimum_D is None:
        return None
    num_outputs, basis_CM = problem.sizes.outputs, None
    has_flat_directions = not problem.l2 and theory.spectrum is not None and theory.spectrum.num_flat > 0
    # Of several outputs some directions are flat in any case, and one of one output only where inputs depend on others.
    if has_flat_directions:
        of = design(np.asarray(training.inputs, dtype=np.float64), 0.0)
        basis_CM = of.basis_CM if of.num_outside else None
    is_shared = (False, bool(num_outputs > 1)) if problem.l2 else (bool(num_outputs > 1),) * 2
    return Minimum(theory.minimum_D, num_outputs, *is_shared, basis_CM)
