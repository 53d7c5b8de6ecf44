"""Files of datasets: what is refused, and the shapes that are read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np
import pytest

from service.spec.datasets import builtin
from tests.api.uploads import CSV, HOUSES, api
from tests.spec.datasets.bad_files import bad_file, npz


@pytest.fixture(scope="module")
def one_api(new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The function that sends requests to an application on SQLite with small limits."""
    here = api(new_database("sqlite"), tmp_path_factory.mktemp("tables"), max_dataset_bytes=3_000_000)
    with asyncio.Runner() as runner:
        client = runner.run(here.__aenter__())
        yield lambda *what, **how: runner.run(client.request(*what, **how))
        runner.run(here.__aexit__(None, None, None))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("name", ["a short row", "a date", "pickled objects", "a picture"])
def test_a_file_that_cannot_be_read_is_422_with_its_place(name: str, one_api: Any) -> None:
    media_type, data, sentence = bad_file(name)
    answer = one_api("POST", "/v1/datasets", content=data, headers={"Content-Type": media_type})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert sentence in answer.json()["detail"]
    if name == "a short row":
        assert answer.json()["errors"][0]["loc"] == ["body", 3]


@pytest.mark.slow
def test_a_file_above_the_limit_is_413_with_or_without_a_length(one_api: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"1,2\n" * 20_000

    for content in (b"1" * 3_000_001, pieces()):
        answer = one_api("POST", "/v1/datasets", content=content, headers=CSV)
        assert answer.status_code == 413
        assert "3,000,000" in answer.json()["detail"]
    # Other bodies keep their own limit.
    assert one_api("POST", "/v1/jobs", content=b" " * 1_500_000).status_code == 413
    large_file = b"a,b\n" + b"1,2\n" * 600_000
    assert one_api("POST", "/v1/datasets", content=large_file, headers=CSV).status_code == 201


def test_a_request_that_names_no_type_or_another_one_is_422(one_api: Any) -> None:
    for headers, place in (
        ({"Content-Type": "image/png"}, "Content-Type"),
        ({}, "Content-Type"),
        (CSV | {"Content-Encoding": "gzip"}, "Content-Encoding"),
    ):
        answer = one_api("POST", "/v1/datasets", content=HOUSES, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["loc"] == ["header", place]
    assert one_api("POST", "/v1/datasets?name=h.csv", content=HOUSES).status_code == 201
    assert one_api("POST", "/v1/datasets?nome=h", content=HOUSES, headers=CSV).status_code == 422


def test_built_in_datasets_are_read_without_an_upload(one_api: Any) -> None:
    pages, cursor = [], ""
    while cursor is not None:
        page = one_api("GET", f"/v1/datasets?limit=4{cursor and f'&cursor={cursor}'}").json()
        pages += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert pages[-6:] == list(builtin.NAMES)
    iris = one_api("GET", "/v1/datasets/iris").json()
    assert (iris["rows"], iris["created_at"], iris["shape"]) == (150, None, [150, 5])
    assert one_api("GET", "/v1/datasets/iris/rows?limit=1").json()["rows"] == [[5.1, 3.5, 1.4, 0.2, "setosa"]]
    assert one_api("GET", "/v1/datasets/iris/file").content == builtin.content("iris")
    digits = one_api("GET", "/v1/datasets/digits").json()
    assert digits["shape"] == [1797, 8, 8, 1]
    assert [one["kind"] for one in digits["columns"]] == ["image", "category"]
    assert len(one_api("GET", "/v1/datasets/digits/rows?limit=3").json()["rows"][2][0]) == 8
    assert one_api("GET", "/v1/datasets/zipf/rows?limit=2").json()["columns"] == ["text"]
    assert one_api("DELETE", "/v1/datasets/iris").status_code == 409


@pytest.mark.slow
def test_thousands_of_columns_are_left_out_of_the_list(one_api: Any) -> None:
    names = ",".join(f"column {at}" for at in range(3_000))
    data = f"{names}\n{','.join(['1'] * 3_000)}\n".encode()
    made = one_api("POST", "/v1/datasets", content=data, headers=CSV).json()
    assert len(made["columns"]) == 3_000
    (listed,) = (one for one in one_api("GET", "/v1/datasets").json()["items"] if one["id"] == made["id"])
    assert (listed["columns"], listed["shape"]) == (None, [1, 3_000])


def test_images_are_uploaded_as_npz(one_api: Any) -> None:
    data = npz(x=np.zeros((4, 5, 6, 3), dtype=np.uint8), y=np.array([0, 1, 2, 1]))
    made = one_api("POST", "/v1/datasets", content=data, headers={"Content-Type": "application/x-npz"}).json()
    assert made["shape"] == [4, 5, 6, 3]
    assert [(one["name"], one["kind"], one["distinct"]) for one in made["columns"]] == [
        ("x", "image", None),
        ("y", "category", 3),
    ]
