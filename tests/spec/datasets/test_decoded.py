"""Decoded tables are the same in memory, on disk and in every process, and take no more space than is allowed."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.errors import Rejected
from service.settings import Settings
from service.spec.datasets import builtin
from service.spec.datasets.decoded import DecodedTables, folder_of
from service.spec.datasets.decoded_file import NotDecoded, map_table, write_table
from service.spec.datasets.media import CSV, TEXT
from service.spec.datasets.reading import read
from service.spec.datasets.table import Table

HOUSES = b"area,city\n120.5,x\n80,\n,y\n"


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def tables(folder: Path, **settings: Any) -> DecodedTables:
    return DecodedTables(Settings(dataset_folder=str(folder), **settings))


def never() -> bytes:
    raise AssertionError("the content is not needed")


def giving(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def require_same(one: Table, other: Table) -> None:
    assert one.text == other.text
    assert [(c.name, c.kind, c.categories) for c in one.columns] == [
        (c.name, c.kind, c.categories) for c in other.columns
    ]
    for mine, theirs in zip(one.columns, other.columns, strict=True):
        assert (mine.values.dtype, mine.values.shape) == (theirs.values.dtype, theirs.values.shape)
        assert mine.values.tobytes() == theirs.values.tobytes()


@pytest.mark.parametrize("name", builtin.NAMES)
def test_a_table_from_its_file_has_the_same_bits(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.table"
    write_table(path, builtin.table(name))
    require_same(map_table(path), builtin.table(name))


def test_files_of_killed_processes_are_removed_at_the_start_and_tables_stay(tmp_path: Path) -> None:
    digest = digest_of(HOUSES)
    tables(tmp_path).find_or_make(digest, CSV, giving(HOUSES))
    (table,) = tmp_path.iterdir()
    for name in ("content-1a2b", "decoding-3c4d"):
        (tmp_path / name).write_bytes(b"half")
    tables(tmp_path)
    assert list(tmp_path.iterdir()) == [table]


def test_a_table_is_decoded_once_for_all_processes_of_a_host(tmp_path: Path) -> None:
    digest = digest_of(HOUSES)
    made = tables(tmp_path).find_or_make(digest, CSV, giving(HOUSES))
    require_same(made, read(HOUSES, CSV))
    process = tables(tmp_path)
    found = process.find_or_make(digest, CSV, never)
    require_same(found, made)
    assert process.find_or_make(digest, CSV, never) is found
    assert not found["area"].values.flags.writeable
    # The same bytes are another table as a text.
    assert process.find_or_make(digest, TEXT, giving(HOUSES)).text == HOUSES.decode()


def test_a_file_that_is_cut_short_is_decoded_again(tmp_path: Path) -> None:
    digest = digest_of(HOUSES)
    tables(tmp_path).find_or_make(digest, CSV, giving(HOUSES))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(NotDecoded):
        map_table(file)
    require_same(tables(tmp_path).find_or_make(digest, CSV, giving(HOUSES)), read(HOUSES, CSV))


def test_the_files_used_longest_ago_are_deleted_and_a_mapped_one_stays_readable(tmp_path: Path) -> None:
    contents = [b"a\n%d\n" % number for number in range(4)]
    process = tables(tmp_path, dataset_disk_bytes=700)
    first = process.find_or_make(digest_of(contents[0]), CSV, giving(contents[0]))
    for at, content in enumerate(contents):
        process.find_or_make(digest_of(content), CSV, giving(content))
        for path in tmp_path.iterdir():
            os.utime(path, (at, at)) if digest_of(content) in path.name else None
    left = {path.name[:64] for path in tmp_path.iterdir()}
    assert left == {digest_of(content) for content in contents[-len(left) :]}
    assert 1 <= len(left) <= 3
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 700
    assert first["a"].values.tolist() == [0.0]


def test_tables_above_the_limit_of_memory_are_let_go(tmp_path: Path) -> None:
    contents = [b"a\n%d\n" % number for number in range(3)]
    process = tables(tmp_path, dataset_memory_bytes=16)
    kept = [process.find_or_make(digest_of(content), CSV, giving(content)) for content in contents]
    again = [process.find_or_make(digest_of(content), CSV, never) for content in reversed(contents)]
    assert [one is other for one, other in zip(again, reversed(kept), strict=True)] == [True, True, False]


def test_a_content_that_cannot_be_decoded_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="the row has 1 cells"):
        tables(tmp_path).find_or_make("0" * 64, CSV, giving(b"a,b\n1\n"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = folder_of("")
    assert mine.parent == tmp_path
    assert mine.stat().st_mode & 0o777 == 0o700
    assert folder_of("") == mine
    mine.chmod(0o777)
    assert folder_of("") != mine


def test_big_values_are_the_same_in_every_process(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(500, 3))
    data = b"a;b;c\n" + "\n".join(";".join(map(repr, row)) for row in values.tolist()).encode()
    table = tables(tmp_path).find_or_make(digest_of(data), CSV, giving(data))
    assert np.array_equal(np.column_stack([column.values for column in table.columns]), values)
