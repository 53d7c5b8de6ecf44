"""Minimum, curvatures and distances of linear models equal what other libraries compute."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from service.analysis.linear_theory import LinearTheory
from service.spec.datasets.table import Table
from service.spec.job import JobSpec
from tests.on_data import categories, numbers, planned, resolved, table_of, trained
from tests.worker.data.plain_models import plain_model
from tests.worker.data.test_models import loss_of
from worker.data.linear import solution
from worker.data.linear.solution import theory_of
from worker.data.tables import parts
from worker.engine.trainer import Trainer

RANDOM = np.random.default_rng(0)
# Towns decide nothing else, so that their columns and the bias depend on each other; a column is twice another one.
AREAS = RANDOM.normal(size=60)
HOUSES = Table(
    (
        numbers("area", AREAS),
        numbers("feet", 2 * AREAS),
        categories("town", [f"town {number % 3}" for number in range(60)]),
        numbers("price", RANDOM.normal(size=60)),
    )
)
# Classes that no plane separates, of columns that depend on each other.
NOISE = Table((*HOUSES.columns, categories("kind", [f"kind {number % 3}" for number in RANDOM.integers(0, 3, 60)])))


def of(problem: dict[str, Any], table: Table | None = None) -> tuple[JobSpec, LinearTheory]:
    spec = resolved(problem, table, epochs=1)
    return spec, theory_of(spec.problem, table or table_of(problem))  # type: ignore[arg-type]


def hessian_and_gradient(spec: JobSpec, table: Table, weights_D: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the loss, by torch."""
    training = parts(spec.problem, table).training  # type: ignore[arg-type]
    inputs, labels = torch.from_numpy(training.inputs), torch.from_numpy(training.labels)
    net = plain_model(spec.problem, 0)
    names, sizes = zip(*((name, one.shape) for name, one in net.named_parameters()), strict=True)

    def loss(vector: torch.Tensor) -> torch.Tensor:
        pieces = vector.split([size.numel() for size in sizes])
        given = {name: piece.view(size) for name, piece, size in zip(names, pieces, sizes, strict=True)}
        outputs = torch.func.functional_call(net, given, (inputs,))
        penalty = (spec.problem.l2 or 0.0) / 2 * sum(one.square().sum() for one in given.values() if one.dim() > 1)
        return loss_of(nn.Identity(), outputs, labels) + penalty

    at = torch.from_numpy(np.array(weights_D))
    hessian = torch.autograd.functional.hessian(loss, at)
    return hessian.numpy(), torch.func.grad(loss)(at).numpy()


CASES: dict[str, tuple[dict[str, Any], Table | None]] = {
    "regression": ({"dataset": "diabetes"}, None),
    "regression, unscaled": ({"dataset": "diabetes", "scale": "none", "l2": 1e-3}, None),
    "regression of dependent columns": ({"target": "price", "features": ["area", "feet", "town"]}, HOUSES),
    "the same with a penalty": ({"target": "price", "features": ["area", "feet", "town"], "l2": 0.1}, HOUSES),
    "more columns than rows": ({"dataset": "diabetes", "train_size": 8}, None),
    "two classes": ({"dataset": "breast_cancer", "l2": 0.01}, None),
    "three classes": ({"dataset": "wine", "l2": 0.01, "scale": "minmax"}, None),
    "three classes of dependent columns": ({"target": "kind", "features": ["area", "feet", "town"]}, NOISE),
}


@pytest.mark.parametrize("case", CASES)
def test_minimum_and_curvatures_are_those_of_the_loss_by_torch(case: str) -> None:
    problem, own = CASES[case]
    spec, found = of(problem, own)
    assert found.reason == ""
    assert found.minimum_D is not None
    assert found.spectrum is not None
    hessian, gradient = hessian_and_gradient(spec, own or table_of(problem), found.minimum_D)
    expected = np.linalg.eigvalsh(hessian)
    assert np.linalg.norm(gradient) < 1e-9
    flat, curved = expected[: found.spectrum.num_flat], expected[found.spectrum.num_flat :]
    assert (np.abs(flat) < 1e-12 * expected[-1]).all()
    assert found.spectrum.num_curved == len(curved)
    for value in found.spectrum.values:
        assert np.isclose(curved, value, rtol=1e-6, atol=1e-11).any(), value
    for value in curved:
        assert np.isclose(found.spectrum.values, value, rtol=1e-6, atol=1e-11).any(), value
    assert found.spectrum.values[0] == pytest.approx(curved[0], rel=1e-6)


@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_the_minimum_of_a_regression_is_the_least_squares_solution(l2: float) -> None:
    spec, found = of({"dataset": "diabetes", "l2": l2})
    training = parts(spec.problem, table_of({"dataset": "diabetes"})).training  # type: ignore[arg-type]
    num, num_features = training.inputs.shape
    rows = np.hstack([training.inputs, np.ones((num, 1))])
    penalty = np.sqrt(num * l2) * np.eye(num_features, num_features + 1)
    targets = np.append(training.labels, np.zeros(num_features))
    expected, *_ = np.linalg.lstsq(np.vstack([rows, penalty]), targets)
    np.testing.assert_allclose(found.minimum_D, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dataset", ["wine", "breast_cancer", "iris"])
def test_the_minimum_of_a_classification_is_that_of_scikit_learn(dataset: str) -> None:
    spec, found = of({"dataset": dataset, "l2": 0.01})
    training = parts(spec.problem, table_of({"dataset": dataset})).training  # type: ignore[arg-type]
    classes = spec.problem.resolved.classes  # type: ignore[union-attr]
    # One output for two classes there, and two here, which share the penalty.
    strength = 1 / (0.01 * len(training)) * (2 if classes == 2 else 1)
    model = LogisticRegression(C=strength, tol=1e-12, max_iter=10_000, solver="newton-cholesky")
    model.fit(training.inputs, training.labels)
    weights = found.minimum_D[:-classes].reshape(classes, -1)  # type: ignore[index]
    biases = found.minimum_D[-classes:]  # type: ignore[index]
    outputs = training.inputs @ weights.T + biases
    theirs = model.decision_function(training.inputs)
    if classes == 2:
        np.testing.assert_allclose(outputs[:, 1] - outputs[:, 0], theirs, atol=1e-7)
    else:
        np.testing.assert_allclose(
            outputs - outputs.mean(1, keepdims=True), theirs - theirs.mean(1, keepdims=True), atol=1e-7
        )


def test_without_penalty_a_minimum_exists_where_no_plane_separates_classes() -> None:
    spec, found = of({"target": "kind", "features": ["area"]}, NOISE)
    training = parts(spec.problem, NOISE).training  # type: ignore[arg-type]
    model = LogisticRegression(C=np.inf, tol=1e-12, solver="newton-cholesky").fit(training.inputs, training.labels)
    outputs = training.inputs @ found.minimum_D[:3][None] + found.minimum_D[3:]  # type: ignore[index]
    theirs = model.predict_proba(training.inputs)
    shares = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    np.testing.assert_allclose(shares, theirs, atol=1e-7)


@pytest.mark.parametrize(
    ("problem", "table", "reason"),
    [
        ({"dataset": "wine"}, None, solution.SEPARABLE),
        ({"dataset": "breast_cancer"}, None, solution.SEPARABLE),
        ({"dataset": "wine", "scale": "none"}, None, solution.SEPARABLE),
        # A plane separates one class from the two others, which none separates.
        ({"dataset": "iris", "test_share": 0}, None, solution.UNPROVEN),
        # One example lies on the border: every other one can be won for ever.
        (
            {"test_share": 0},
            Table((numbers("x", [-2, -1, 0, 0, 1, 2]), categories("y", ["a", "a", "a", "b", "b", "b"]))),
            solution.UNPROVEN,
        ),
        ({"dataset": "iris", "label_noise": 0.1}, None, solution.NOISY),
        ({"dataset": "iris", "train_size": 2}, None, solution.MISSING_CLASS),
    ],
)
def test_where_the_loss_has_no_minimum_it_says_why(problem: dict[str, Any], table: Table | None, reason: str) -> None:
    _, found = of(problem, table)
    assert (found.reason, found.minimum_D, found.spectrum, found.unscaled) == (reason, None, None, None)


def test_scaling_changes_the_condition_number_and_both_are_known() -> None:
    scaled, raw = (of({"dataset": "wine", "l2": 0.01, "scale": scale})[1] for scale in ("standard", "none"))
    assert scaled.spectrum is not None
    assert scaled.unscaled is not None
    assert raw.spectrum is not None
    assert scaled.unscaled.condition_number == raw.spectrum.condition_number
    assert (scaled.spectrum.condition_number or 0) < 1e-6 * (raw.spectrum.condition_number or 0)
    whitened = of({"dataset": "diabetes", "scale": "whiten"})[1].spectrum
    assert whitened is not None
    np.testing.assert_allclose(whitened.values, 1.0, rtol=1e-9)


@pytest.mark.parametrize("case", ["regression, unscaled", "two classes", "three classes"])
def test_larger_models_have_their_minimum_and_extreme_curvatures_without_matrices(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, own = CASES[case]
    exact = of(problem, own)[1]
    monkeypatch.setattr(solution, "MAX_COORDINATES", 1)
    found = of(problem, own)[1]
    assert found.reason == ""
    assert exact.spectrum is not None
    assert found.spectrum is not None
    assert exact.minimum_D is not None
    assert found.minimum_D is not None
    np.testing.assert_allclose(found.minimum_D, exact.minimum_D, rtol=0, atol=1e-7)
    assert not found.spectrum.is_whole
    assert found.spectrum.num_flat == exact.spectrum.num_flat
    np.testing.assert_allclose(found.spectrum.values, [exact.spectrum.values[0], exact.spectrum.values[-1]], rtol=1e-4)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("case", CASES)
def test_the_distance_of_a_run_is_that_to_the_nearest_minimum(case: str) -> None:
    problem, own = CASES[case]
    table = own or table_of(problem)
    spec = resolved(problem, own, [{"kind": "sgd", "lr": 0.1}], seeds=[3, 4], epochs=3)
    trainer, history = trained(spec, table)
    _, found = of(problem, own)
    assert found.minimum_D is not None
    values, vectors = np.linalg.eigh(hessian_and_gradient(spec, table, found.minimum_D)[0])
    curved = vectors[:, values > 1e-12 * values[-1]]
    for run in range(2):
        away = np.asarray(trainer.checkpoint()["weights"])[:, run] - found.minimum_D
        assert history["distance_to_minimum"][-1, run] == pytest.approx(np.linalg.norm(curved.T @ away), rel=1e-9)


def test_distances_have_the_same_bits_alone_and_among_others() -> None:
    problem, table = CASES["three classes of dependent columns"]
    assert table is not None
    spec = resolved(problem, table, [{"kind": "momentum", "lr": 0.1}], seeds={"count": 30}, epochs=3)
    together = trained(spec, table)[1]["distance_to_minimum"]
    for first, num in ((0, 1), (7, 1), (11, 17)):
        trainer = Trainer(planned(spec, first, num, table))
        rows = [epoch.values_FR for epoch in trainer.run() if epoch]
        alone = np.stack([row[trainer.fields.index("distance_to_minimum")] for row in rows if row is not None])
        assert (alone == together[:, first : first + num]).all()


def test_a_run_reaches_the_minimum_and_its_loss() -> None:
    problem = {"dataset": "diabetes", "scale": "whiten"}
    _, found = of(problem)
    _, history = trained(resolved(problem, optimizers=[{"kind": "sgd", "lr": 1.0}], epochs=3))
    assert history["distance_to_minimum"][-1, 0] < 1e-12
    assert history["loss"][-1, 0] == pytest.approx(found.loss, rel=1e-13)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_sums_of_products_give_the_numbers_of_the_examples(offset: float, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = np.random.default_rng(1).normal(size=(200, 3)) * [1, 30, 1000] + [5, 0, 500]
    targets = inputs @ [3.0, 0.1, 0.01] + RANDOM.normal(size=200) + offset
    table = Table((*(numbers(f"x{at}", column) for at, column in enumerate(inputs.T)), numbers("y", targets)))
    problem = {"scale": "none", "l2": 0.1, "validation_share": 0.2}
    spec = resolved(problem, table, [{"kind": "momentum", "lr": 1e-7}], seeds=[0, 1], epochs=30)
    by_sums = trained(spec, table)[1]
    monkeypatch.setattr("worker.engine.supervised.problem.least_squares", lambda setup: None)
    by_examples = trained(spec, table)[1]
    for name in by_sums.fields:
        np.testing.assert_allclose(by_sums[name], by_examples[name], rtol=1e-8, atol=1e-12, err_msg=name)
