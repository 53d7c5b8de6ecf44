"""Built-in datasets have the values of scikit-learn, and the synthetic text is the same everywhere."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from sklearn import datasets

from service.spec.datasets import builtin

TARGETS = {"iris": "species", "wine": "cultivar", "breast_cancer": "diagnosis", "diabetes": "progression"}
DIGEST = "3539bae4499004a63606c1c5122d5365481f1e0a79823ec3b5c1ca70ff50c9d1"


@pytest.mark.parametrize("name", TARGETS)
def test_a_table_has_the_values_of_scikit_learn(name: str) -> None:
    theirs, ours = getattr(datasets, f"load_{name}")(), builtin.table(name)
    *features, target = ours.columns
    assert target.name == TARGETS[name]
    assert len({column.name for column in ours.columns}) == len(ours.columns)
    assert all(column.kind == "number" and column.values.dtype == np.float64 for column in features)
    values = np.column_stack([column.values for column in features])
    assert np.array_equal(values.view(np.int64), np.ascontiguousarray(theirs.data).view(np.int64))
    if target.kind == "number":
        assert np.array_equal(target.values, theirs.target)
    else:
        assert list(target.categories) == sorted(theirs.target_names)
        assert [target.categories[at] for at in target.values] == list(theirs.target_names[theirs.target])


def test_the_digits_are_images_from_0_to_1_with_ten_classes() -> None:
    theirs, ours = datasets.load_digits(), builtin.table("digits")
    assert ours.num_rows == 1_797
    assert ours["x"].kind == "image"
    assert ours["x"].values.dtype == np.float32
    assert np.array_equal(ours["x"].values, theirs.images[..., None] / 16)
    assert ours["y"].categories == tuple("0123456789")
    assert np.array_equal(ours["y"].values, theirs.target)


def test_the_text_is_the_same_on_every_machine_and_follows_zipfs_law() -> None:
    text = builtin.table("zipf").text
    assert text is not None
    assert len(text) == 100_000
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "3539bae4499004a63606c1c5122d5365481f1e0a79823ec3b5c1ca70ff50c9d1"
    )
    counts = [count for _, count in Counter(text.replace(".", "").split()).most_common()]
    # Of 2,000 words the first has a share of 1 / (1 + 1/2 + … + 1/2000) = 12.2 %, and the tenth a tenth of it.
    assert counts[0] / sum(counts) == pytest.approx(0.122, abs=0.01)
    assert counts[0] / counts[9] == pytest.approx(10, rel=0.15)


def test_there_is_no_dataset_of_another_name() -> None:
    with pytest.raises(KeyError):
        builtin.table("../iris")
