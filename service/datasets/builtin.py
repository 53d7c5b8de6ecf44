"""Datasets that need no upload: four tables and the digits of scikit-learn, and a synthetic text.

``service/datasets/files`` holds the tables as CSV and the images as NPZ, with the values of scikit-learn: features
bit by bit, the pixels of the digits divided by 16.
"""

import csv
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np

from service.datasets import zipf
from service.datasets.table import Column, Table

_FILES = Path(__file__).parent / "files"
_FILE_NAMES = {
    "iris": "iris.csv",
    "wine": "wine.csv",
    "breast_cancer": "breast_cancer.csv",
    "diabetes": "diabetes.csv",
    "digits": "digits.npz",
    "zipf": "zipf.txt",
}
NAMES = tuple(_FILE_NAMES)


@cache
def content(name: str) -> bytes:
    """Give the file of a dataset; KeyError if there is none of this name."""
    file_name = _FILE_NAMES[name]
    return zipf.text().encode() if name == "zipf" else (_FILES / file_name).read_bytes()


@cache
def table(name: str) -> Table:
    """Give the decoded dataset; KeyError if there is none of this name."""
    data = content(name)
    if name == "zipf":
        return Table((), data.decode())
    if name == "digits":
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            x, y = arrays["x"], arrays["y"]
        classes = tuple(str(digit) for digit in range(10))
        return Table((Column("x", "image", x[..., None]), Column("y", "category", y.astype(np.int32), classes)))
    header, *rows = csv.reader(StringIO(data.decode()))
    return Table(tuple(_column(name, [row[at] for row in rows]) for at, name in enumerate(header)))


def _column(name: str, cells: list[str]) -> Column:
    try:
        return Column(name, "number", np.array([float(cell) for cell in cells]))
    except ValueError:
        categories = tuple(sorted(set(cells)))
        return Column(name, "category", np.array([categories.index(cell) for cell in cells], np.int32), categories)
