"""Tables become examples: divided, encoded and scaled, everything fitted on the training rows alone."""

import math
from typing import Any

import numpy as np
import pytest

from service.spec.datasets import builtin
from service.spec.datasets.table import Table
from service.spec.problems.data import Data
from tests.on_data import categories, images, numbers, resolved
from worker.data.tables import Parts, parts
from worker.data.texts import parts as windows_of
from worker.plan import plan

GENERATOR = np.random.default_rng(0)
ROWS = 50
TABLE = Table(
    (
        numbers("a", GENERATOR.normal(5, 3, ROWS)),
        numbers("constant", [0.1] * ROWS),
        categories("town", [["Ulm", "Aalen", "Köln"][row % 3] for row in range(ROWS)]),
        numbers("b", GENERATOR.uniform(-1, 9, ROWS)),
        numbers("y", GENERATOR.normal(100, 20, ROWS)),
    )
)


def parts_of(table: Table, **problem: Any) -> Parts:
    return parts(Data(kind="data", dataset="own", **problem), table)


def joined(found: Parts) -> np.ndarray:
    return np.concatenate([part.inputs for part in (found.training, found.validation, found.test) if part is not None])


def test_the_parts_have_every_row_once_and_depend_on_the_split_seed() -> None:
    found = parts_of(TABLE, scale="none", validation_share=0.1)
    assert (len(found.training), len(found.validation or ()), len(found.test or ())) == (35, 5, 10)
    np.testing.assert_array_equal(np.sort(joined(found)[:, 0]), np.sort(TABLE["a"].values))
    other = parts_of(TABLE, scale="none", validation_share=0.1, split_seed=1)
    assert not np.array_equal(found.training.inputs, other.training.inputs)
    assert parts_of(TABLE, test_share=0.0).test is None


def test_a_classification_has_every_class_in_proportion_in_every_part() -> None:
    found = parts(Data(kind="data", dataset="iris", validation_share=0.2), builtin.table("iris"))
    for part in (found.training, found.validation, found.test):
        assert part is not None
        assert set(np.bincount(part.labels.astype(int)).tolist()) == {len(part) // 3}


def test_a_smaller_training_part_is_the_beginning_of_the_whole_one() -> None:
    whole, small = parts_of(TABLE, scale="none"), parts_of(TABLE, scale="none", train_size=7)
    np.testing.assert_array_equal(small.training.inputs, whole.training.inputs[:7])
    assert whole.test is not None
    assert small.test is not None
    np.testing.assert_array_equal(small.test.inputs, whole.test.inputs)


def test_standard_scaling_gives_mean_0_and_deviation_1_on_the_training_rows() -> None:
    found, plain = parts_of(TABLE), parts_of(TABLE, scale="none")
    inputs = found.training.inputs
    np.testing.assert_allclose(inputs.mean(0), 0, atol=1e-14)
    np.testing.assert_allclose(inputs.std(0), [1, 0, 1, 1, 1, 1], atol=1e-14)
    assert (inputs[:, 1] == 0).all(), "a constant column is only centred"
    assert plain.test is not None
    assert found.test is not None
    training = plain.training.inputs[:, 0]
    np.testing.assert_allclose(
        found.test.inputs[:, 0], (plain.test.inputs[:, 0] - training.mean()) / training.std(), rtol=1e-12
    )
    np.testing.assert_allclose([found.training.labels.mean(), found.training.labels.std()], [0, 1], atol=1e-13)


def test_minmax_scaling_gives_0_to_1_on_the_training_rows() -> None:
    found = parts_of(TABLE, scale="minmax")
    np.testing.assert_allclose(found.training.inputs.min(0), 0, atol=1e-15)
    np.testing.assert_allclose(found.training.inputs.max(0), [1, 0, 1, 1, 1, 1])
    np.testing.assert_allclose([found.training.labels.min(), found.training.labels.max()], [0, 1])


def test_whitened_inputs_are_uncorrelated_and_directions_without_variance_are_0() -> None:
    found = parts(Data(kind="data", dataset="wine", scale="whiten"), builtin.table("wine")).training.inputs
    np.testing.assert_allclose(found.T @ found / len(found), np.eye(13), atol=1e-9)
    flat = parts_of(TABLE, scale="whiten").training.inputs
    eigenvalues = np.linalg.eigvalsh(flat.T @ flat / len(flat))
    # A constant column, and three categories whose sum is constant.
    np.testing.assert_allclose(eigenvalues, [0, 0, 1, 1, 1, 1], atol=1e-8)


def test_categories_become_a_column_each_by_code_point_and_unknown_ones_are_zeros() -> None:
    towns = ["Ulm"] * 20 + ["Ähn"] * 20 + ["Aalen"]
    table = Table((categories("town", towns), numbers("y", np.arange(41.0))))
    for seed in range(20):
        found = parts_of(table, scale="none", split_seed=seed, test_share=0.5)
        aalen = [row for row in joined(found) if row[0] == 1]
        has_aalen = any(row[0] == 1 for row in found.training.inputs)
        assert len(aalen) == has_aalen, "a category that training lacks is all zeros"
        assert set(map(tuple, joined(found))) <= {(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)}
        labels = {label: tuple(row) for row, label in zip(found.training.inputs, found.training.labels, strict=True)}
        assert all(row == ((0, 1, 0) if label < 20 else (0, 0, 1)) for label, row in labels.items() if label < 40)


def test_missing_numbers_take_the_training_mean_and_missing_categories_are_zeros() -> None:
    table = Table(
        (
            numbers("a", [1.0, math.nan, 3.0, 5.0, math.nan, 8.0]),
            categories("c", ["x", None, "y", "x", "y", "x"]),
            numbers("y", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        )
    )
    found = parts_of(table, scale="none", missing="mean", test_share=0.0)
    rows = {label: tuple(row) for row, label in zip(found.training.inputs, found.training.labels, strict=True)}
    assert rows[2.0] == (4.25, 0.0, 0.0)
    assert rows[5.0] == (4.25, 0.0, 1.0)
    assert sorted(parts_of(table, scale="none", missing="drop", test_share=0.0).training.labels) == [1, 3, 4, 6]


def test_images_are_scaled_by_channel_and_laid_out_channel_by_channel() -> None:
    table = Table((images("x", (20, 4, 5, 3)), categories("y", ["a", "b"] * 10)))
    plain = parts_of(table, scale="none", test_share=0.0).training.inputs
    pixels = {tuple(row) for row in plain}
    assert tuple(np.moveaxis(table["x"].values[3], 2, 0).ravel().astype(float)) in pixels
    scaled = parts_of(table, test_share=0.0).training.inputs.reshape(20, 3, 20)
    np.testing.assert_allclose(scaled.mean((0, 2)), 0, atol=1e-13)
    np.testing.assert_allclose(scaled.std((0, 2)), 1)


def test_label_noise_of_two_classes_turns_labels_over() -> None:
    spec = resolved({"dataset": "breast_cancer", "label_noise": 0.25}, epochs=1)
    setup = plan(spec, 0, 1, table=builtin.table("breast_cancer")).problem._setup  # type: ignore[attr-defined]
    noisy = setup.relabel(np.array([0, 1]))
    assert ((noisy != setup.training.labels).sum(1) == round(0.25 * len(setup.training))).all()
    assert set(np.unique(noisy)) == {0, 1}


def test_a_text_is_divided_into_windows_whose_labels_are_the_next_characters() -> None:
    text = "abcdefghijklmnopqrstuvwxyz" * 2
    problem = Data(kind="data", dataset="own", model={"kind": "transformer", "context": 10}, test_share=0.4)
    found = windows_of(problem, Table((), text), 10)
    # Three windows train: all characters from a to z, thirty and the next one.
    assert (len(found.training), found.validation, len(found.test or ())) == (3, None, 2)
    assert found.training.inputs[0].tolist() == list(range(10))
    assert found.training.labels[0].tolist() == list(range(1, 11))
    assert found.test is not None
    assert found.test.inputs[0].tolist() == [number % 26 for number in range(30, 40)]
    few = Data(kind="data", dataset="own", model={"kind": "transformer", "context": 10}, train_size=1)
    small = windows_of(few, Table((), text), 10)
    assert small.test is not None
    assert small.test.inputs.max() == 11, "characters that training lacks are one number, after the known ones"


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_built_in_tables_have_finite_inputs(name: str) -> None:
    found = parts(Data(kind="data", dataset=name), builtin.table(name))
    assert np.isfinite(joined(found)).all()
