"""The client uploads files, frames and arrays, and lists and deletes datasets."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from service.client import Ravine
from service.client.datasets import ENDINGS
from service.client.errors import Conflict, NotAccepted, NotFound
from service.spec.datasets import builtin, media
from tests.lossy_proxy import LOSE, lossy_proxy
from tests.servers import Stack

# The datasets of the client do not depend on the database of the service.
pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


@pytest.fixture
def ravine(stack: Stack) -> Iterator[Ravine]:
    with Ravine(stack.url) as client:
        yield client


def test_a_file_is_uploaded_listed_and_deleted(ravine: Ravine, tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    file.write_text("area;price\n" + "120,5;300\n" * 20_000)
    seen: list[tuple[int, int]] = []
    made = ravine.upload(file, ttl_seconds=600, progress=lambda sent, size: seen.append((sent, size)))
    assert (made["name"], made["shape"], made["media_type"]) == ("houses.csv", [20_000, 2], "text/csv")
    assert made["expires_at"] is not None
    assert seen[-1] == (file.stat().st_size, file.stat().st_size)
    assert len(seen) > 3
    assert ravine.upload(str(file), name="again")["id"] == made["id"]
    assert ravine.dataset(made["id"])["rows"] == 20_000
    assert ravine.dataset_rows(made["id"], limit=1)["rows"] == [[120.5, 300.0]]
    listed = [one["id"] for one in ravine.datasets()]
    assert made["id"] in listed
    assert listed[-6:] == list(builtin.NAMES)
    ravine.delete_dataset(made["id"])
    with pytest.raises(NotFound):
        ravine.dataset(made["id"])
    with pytest.raises(Conflict, match="built in"):
        ravine.delete_dataset("iris")


@pytest.mark.slow
def test_frames_and_arrays_are_uploaded_with_their_types(ravine: Ravine) -> None:
    columns = {"area": [120.5, None, 80.0], "city": ["Köln", "Bonn", None], "garden": [True, False, True]}
    pandas = ravine.upload(pd.DataFrame(columns, index=[7, 8, 9]), name="pandas")
    polars = ravine.upload(pl.DataFrame(columns), name="polars")
    for made in (pandas, polars):
        assert made["columns"] is not None
        assert [(one["name"], one["kind"], one["missing"]) for one in made["columns"]] == [
            ("area", "number", 1),
            ("city", "category", 1),
            ("garden", "category", 0),
        ]
    unnamed = ravine.upload(pd.DataFrame(np.arange(6.0).reshape(3, 2)))
    assert [one["name"] for one in unnamed["columns"] or ()] == ["0", "1"]
    # Values of several types in one column are texts in a CSV.
    mixed = ravine.upload(pd.DataFrame({"a": [1, "x", None]}))
    assert (mixed["media_type"], (mixed["columns"] or [{}])[0]["kind"]) == ("text/csv", "category")
    images = ravine.upload({"x": np.zeros((3, 4, 5)), "y": np.array([0, 1, 1])}, name="images")
    assert images["shape"] == [3, 4, 5, 1]


def test_what_is_no_dataset_is_an_error_with_a_reason(ravine: Ravine, tmp_path: Path) -> None:
    with pytest.raises(NotAccepted, match=r"must end with one of .csv"):
        ravine.upload(tmp_path / "houses.xlsx")
    with pytest.raises(NotAccepted, match="cannot be read"):
        ravine.upload(tmp_path / "houses.csv")
    with pytest.raises(NotAccepted, match="a list is neither a path nor a frame"):
        ravine.upload([1, 2])
    (tmp_path / "houses.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(NotAccepted, match="line 3: the row has 1 cells") as refused:
        ravine.upload(tmp_path / "houses.csv")
    assert refused.value.errors[0]["loc"] == ["body", 3]


def test_an_upload_whose_answer_was_lost_is_sent_again_from_its_beginning(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "lost.csv"
    file.write_text("a\n" + "\n".join(map(str, range(50_000))))
    with lossy_proxy(stack.url) as proxy, Ravine(proxy.url) as client:
        proxy.faults.append(LOSE)
        made = client.upload(file)
        assert len(proxy.seen) == 2
    assert made["rows"] == 50_000


def test_the_client_names_the_types_of_the_service_without_its_packages(stack: Stack) -> None:
    assert ENDINGS == media.ENDINGS
    heavy = "{'sqlalchemy', 'fastapi', 'pyarrow', 'pandas', 'pydantic'} & set(sys.modules)"
    code = f"import sys; import service.client.datasets; import service.cli.commands.data; print({heavy})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
