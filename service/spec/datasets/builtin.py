"""Datasets that need no upload: four tables and the digits of scikit-learn, and a synthetic text.

``service/spec/datasets/files`` holds the tables as CSV and the images as NPZ, with the values of scikit-learn: features
bit by bit, the pixels of the digits divided by 16.
"""

import hashlib
from functools import cache
from pathlib import Path

from service.spec.datasets import zipf
from service.spec.datasets.media import ENDINGS
from service.spec.datasets.reading import read
from service.spec.datasets.summary import Json, summarize
from service.spec.datasets.table import Table

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
    return read(content(name), media_type(name))


def media_type(name: str) -> str:
    """Give the media type of the file; KeyError if there is no dataset of this name."""
    return ENDINGS[Path(_FILE_NAMES[name]).suffix]


@cache
def digest(name: str) -> str:
    """Give the SHA-256 of the file, in hexadecimal."""
    return hashlib.sha256(content(name)).hexdigest()


@cache
def summary(name: str) -> Json:
    """Give the summary of the decoded dataset."""
    return summarize(table(name))
