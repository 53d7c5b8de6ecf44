"""Minimum and curvatures of a linear model on data."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from service.analysis.linear_theory import LinearTheory, Spectrum
from service.spec.datasets.table import Table
from service.spec.problems.data import Data
from worker.data.linear import newton
from worker.data.linear.design import Design, Floats, design
from worker.data.linear.objective import CrossEntropy, Objective, SquaredError
from worker.data.linear.spectrum import spectrum
from worker.data.tables import parts
from worker.engine.supervised.setup import Examples

# Largest Hessian that is computed: its sides, and the products of numbers that it takes.
MAX_COORDINATES = 2_000
MAX_PRODUCTS = 1e10

SEPARABLE = "A plane separates the classes of the training data: without l2 the loss falls for ever and has no minimum."
UNPROVEN = "No finite minimum was found: without l2 the loss has none where planes separate classes."
MISSING_CLASS = "A class has no training example: its bias falls for ever, and the loss has no minimum."
ONE_CLASS = "There is one class: the loss is 0 everywhere."
TOO_LARGE = "The minimum is not computed for a model of this size without l2."
NOT_REACHED = "The search for the minimum took too long."
NOISY = "Every seed has other wrong labels, so every run has another minimum."
TOO_LARGE_FOR_SMALLEST = "Only the largest curvature is computed for inputs of this size without l2."


def theory_of(problem: Data, table: Table) -> LinearTheory:
    """Compute the theory of a resolved problem with the model `linear`.

    Raises:
        Misfit: The table lacks what the problem names.
    """
    if problem.label_noise:
        return LinearTheory(None, reason=NOISY)
    found = _solved(problem, parts(problem, table).training)
    unscaled: Spectrum | None = found.spectrum
    if problem.scale != "none":
        raw = problem.model_copy(update={"scale": "none"})
        unscaled = _solved(raw, parts(raw, table).training).spectrum
    return replace(found, unscaled=unscaled)


def _solved(problem: Data, training: Examples) -> LinearTheory:
    assert problem.resolved is not None
    classes, l2 = problem.resolved.classes, problem.l2 or 0.0
    if classes is not None:
        if classes == 1:
            return LinearTheory(None, reason=ONE_CLASS)
        if len(np.unique(training.labels)) < classes:
            return LinearTheory(None, reason=MISSING_CLASS)
    of = design(np.asarray(training.inputs, dtype=np.float64), l2)
    if classes is None:
        return _regression(of, np.asarray(training.labels, dtype=np.float64))
    return _classification(of, training.labels.astype(np.int64), classes)


def _regression(of: Design, targets_N: Floats) -> LinearTheory:
    objective = SquaredError(of, targets_N)
    start_MQ = np.zeros((of.num_coordinates, 1))
    if _is_small(of, 1):
        found = newton.with_matrices(objective, start_MQ)
    elif of.l2:
        found = newton.without_matrices(objective, start_MQ)
    else:
        return LinearTheory(spectrum(of, objective, start_MQ, 1, None), reason=TOO_LARGE_FOR_SMALLEST)
    if found is None:
        return LinearTheory(spectrum(of, objective, start_MQ, 1, None), reason=NOT_REACHED)
    return _known(of, objective, found, 1)


def _classification(of: Design, labels_N: NDArray[np.int64], classes: int) -> LinearTheory:
    objective = CrossEntropy(of, labels_N, classes)
    start_MQ = np.zeros((of.num_coordinates, classes - 1))
    if not _is_small(of, classes - 1):
        if not of.l2:
            return LinearTheory(None, reason=TOO_LARGE)
        found = newton.without_matrices(objective, start_MQ)
        return LinearTheory(None, reason=NOT_REACHED) if found is None else _known(of, objective, found, classes)
    try:
        found = newton.with_matrices(objective, start_MQ)
    except newton.NoMinimum:
        return LinearTheory(None, reason=SEPARABLE)
    if not of.l2 and (found is None or not newton.proves_minimum(found, of.rows_NM)):
        return LinearTheory(None, reason=UNPROVEN)
    return LinearTheory(None, reason=NOT_REACHED) if found is None else _known(of, objective, found, classes)


def _is_small(of: Design, num_contrasts: int) -> bool:
    side = of.num_coordinates * num_contrasts
    return of.is_reduced and side <= MAX_COORDINATES and len(of.rows_NM) * side * side <= MAX_PRODUCTS


def _known(of: Design, objective: Objective, found: newton.Found, num_outputs: int) -> LinearTheory:
    weights_CK = of.weights(objective.outputs(found.at_MQ))
    minimum_D = np.concatenate([weights_CK[:-1].T.ravel(), weights_CK[-1]])
    return LinearTheory(
        spectrum(of, objective, found.at_MQ, num_outputs, found.hessian),
        loss=objective.value(found.at_MQ),
        minimum_D=minimum_D,
    )
