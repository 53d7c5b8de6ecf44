"""A problem on data is resolved from its table: sizes, or a sentence at the field that does not fit."""

import math
from typing import Any

import numpy as np
import pytest

from service.spec.datasets.misfit import Misfit
from service.spec.datasets.resolution import resolve
from service.spec.datasets.table import Table
from service.spec.problems.data import Data, portions
from tests.on_data import categories, images, numbers

NAN = math.nan
HOUSES = Table(
    (
        numbers("rooms", [3, 4, NAN, 2, 5, 3]),
        categories("town", ["Ulm", "Aalen", "Ulm", None, "Köln", "Ulm"]),
        numbers("price", [1.5, 2.5, 3.0, 2.0, 9.0, 4.0]),
        categories("sold", ["yes", "no", "yes", "yes", "no", "no"]),
    )
)
PICTURES = Table((images("x", (6, 4, 5, 3)), categories("y", ["a", "b", "a", "b", "c", "c"])))
TEXT = Table((), "to be or not to be, that is the question " * 4)


def found(table: Table, **problem: Any) -> tuple[int | None, ...]:
    given = resolve(Data(kind="data", dataset="own", **problem), "d" * 64, table)
    return given.rows, given.features, given.classes


def test_the_sizes_of_a_table_are_those_of_its_kept_rows_and_encoded_columns() -> None:
    assert found(HOUSES, missing="drop") == (4, 1 + 3 + 1, 2)
    assert found(HOUSES, missing="mean", features=["rooms", "town"]) == (6, 1 + 3, 2)
    assert found(HOUSES, target="price", features=["sold"]) == (6, 2, None)
    assert found(HOUSES, target="price", task="classification", features=["sold"]) == (6, 2, 6)


def test_images_have_their_shape_and_all_models_of_tables_take_their_pixels() -> None:
    for model in ({"kind": "linear"}, {"kind": "cnn", "channels": [2, 3]}, {"kind": "resnet"}):
        given = resolve(Data(kind="data", dataset="own", model=model), "d" * 64, PICTURES)
        assert (given.rows, given.features, given.classes, given.shape) == (6, 60, 3, [4, 5, 3])


def test_a_text_has_the_characters_of_its_training_part_and_one_for_all_others() -> None:
    problem = {"kind": "transformer", "context": 8, "width": 4}
    rows, features, classes = found(TEXT, model=problem, test_share=0.5)
    num_windows = (len(TEXT.text or "") - 1) // 8
    training = (TEXT.text or "")[: (num_windows - math.ceil(num_windows / 2)) * 8 + 1]
    assert (rows, features, classes) == (len(TEXT.text or ""), None, len(set(training)) + 1)


@pytest.mark.parametrize(
    ("table", "problem", "field", "sentence"),
    [
        (HOUSES, {"target": "garden"}, "target", "no column 'garden'; there are rooms, town, price, sold"),
        (HOUSES, {"features": ["rooms", "pool"]}, "features", "no column 'pool'"),
        (HOUSES, {"features": ["rooms", "sold"]}, "features", "must not contain the target"),
        (HOUSES, {"features": ["rooms", "rooms"]}, "features", "once"),
        (HOUSES, {}, "missing", "'rooms' has no finite value in row 3; use drop or mean"),
        (HOUSES, {"target": "rooms", "missing": "mean"}, "missing", "'rooms' has no finite value in row 3; use drop"),
        (HOUSES, {"task": "regression"}, "task", "must be classification"),
        (HOUSES, {"target": "price", "features": ["sold"], "label_noise": 0.1}, "label_noise", "no labels"),
        (HOUSES, {"model": {"kind": "cnn"}, "missing": "drop"}, "model", "needs one column of images"),
        (HOUSES, {"model": {"kind": "transformer"}}, "model", "is trained on a text"),
        (PICTURES, {"target": "x"}, "target", "has images"),
        (PICTURES, {"model": {"kind": "cnn", "channels": [2, 2, 2]}}, "model", "4×5 pixels can be halved fewer than 3"),
        (TEXT, {}, "model", "must be a transformer"),
        (TEXT, {"model": {"kind": "transformer", "context": 512}}, "dataset", "too few for a context of 512"),
        (Table((numbers("a", [1, 2]), numbers("b", [3, 3]))), {}, "target", "same value in all rows"),
        (Table((numbers("a", [1, 2]), categories("b", ["x", "x"]))), {}, "target", "single class"),
        (Table((numbers("a", [1, NAN]), numbers("b", [NAN, 3]))), {"missing": "drop"}, "missing", "no row is left"),
        (Table((numbers("b", [1, 3]),)), {}, "features", "no column besides the target"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(
    table: Table, problem: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(Misfit) as refused:
        found(table, **problem)
    assert refused.value.field == field
    assert sentence in refused.value.sentence


def test_what_was_posted_as_resolved_must_match() -> None:
    problem = Data(kind="data", dataset="own", missing="drop")
    right = resolve(problem, "d" * 64, HOUSES)
    assert resolve(problem.model_copy(update={"resolved": right}), "d" * 64, HOUSES) == right
    with pytest.raises(Misfit, match="does not match"):
        resolve(problem.model_copy(update={"resolved": right}), "e" * 64, HOUSES)


@pytest.mark.slow
def test_categories_that_would_fill_the_memory_are_refused() -> None:
    many = Table((categories("id", [f"{row:06d}" for row in range(20_000)]), numbers("y", np.arange(20_000.0))))
    with pytest.raises(Misfit, match="are too many"):
        found(many)


def test_shares_are_rounded_up_as_decimal_numbers() -> None:
    assert portions(1797, 0.2, 0.0) == (360, 0, 1437)
    assert portions(30, 0.1, 0.1) == (3, 3, 24)
    assert portions(10, 0.07, 0.0) == (1, 0, 9)
    assert portions(3, 0.5, 0.4) == (2, 2, 0)
