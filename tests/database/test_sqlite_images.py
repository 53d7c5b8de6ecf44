"""Databases in memory: SQLite reads what numpy packs, and numpy unpacks what SQLite writes."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from service.database.bulk import MetricRows
from service.database.connection import Database
from service.database.dialects import sqlite_rows
from service.database.dialects.sqlite_image import TABLE, empty, pack
from service.database.dialects.sqlite_unpack import unpack
from service.database.reading import read
from service.database.spans import Span
from service.database.writing import stage, write_rows

NUMBERS = [1.5, np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e308, 0.1]


@pytest.fixture
def memory() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("ATTACH ':memory:' AS image")
        yield connection


def as_text(rows: list[tuple[Any, ...]]) -> list[list[str]]:
    """Rows whose numbers differ by their sign and type too."""
    return [[repr(value) for value in row] for row in rows]


def as_stored(value: float, is_known: bool) -> float | str | None:
    return None if not is_known else "NaN" if np.isnan(value) else value


def draw(num_rows: int, num_columns: int, *, gaps: bool) -> tuple[Any, Any]:
    rng = np.random.default_rng(num_rows)
    values_CN = rng.choice(NUMBERS, (num_columns, num_rows)) if gaps else rng.random((num_columns, num_rows))
    return values_CN, rng.random(values_CN.shape) > 0.2 if gaps else np.ones(values_CN.shape, dtype=bool)


@pytest.mark.parametrize("gaps", [False, True], ids=["numbers", "numbers and gaps"])
@pytest.mark.parametrize("num_columns", [1, 8, 20])
# A page has 299 rows of 20 columns, and 2,849 of one.
@pytest.mark.parametrize("num_rows", [1, 298, 299, 300, 3_000])
def test_sqlite_reads_packed_rows(memory: sqlite3.Connection, num_rows: int, num_columns: int, gaps: bool) -> None:
    values_CN, known_CN = draw(num_rows, num_columns, gaps=gaps)
    run_N, epoch_N = np.arange(num_rows) * 300_000, 2**31 - 1 - np.arange(num_rows)
    memory.deserialize(pack([run_N, epoch_N], values_CN, known_CN), name="image")  # type: ignore[arg-type]
    columns = zip(run_N.tolist(), epoch_N.tolist(), values_CN.T.tolist(), known_CN.T.tolist(), strict=True)
    expected = [(run, epoch, *map(as_stored, values, known)) for run, epoch, values, known in columns]
    assert as_text(memory.execute(f"SELECT * FROM image.{TABLE}").fetchall()) == as_text(expected)


@pytest.mark.parametrize("num_rows", [0, 1, 127, 128, 20_000])
@pytest.mark.parametrize("page_bytes", [512, 16_384, 65_536])
def test_rows_of_sqlite_are_unpacked_whatever_their_types(
    memory: sqlite3.Connection, num_rows: int, page_bytes: int
) -> None:
    kinds = [None, "NaN", 0, 1, -1, 127, -32_768, 2**23 - 1, -(2**31), 2**47 - 1, -(2**52), 0.5, -0.0, np.inf]
    rng = np.random.default_rng(0)
    # Most rows have the same types, as in histories.
    rows = [(float(at), 0.25, *(kinds[one] for one in rng.integers(0, len(kinds), 2))) for at in range(100)]
    rows = [rows[at % 100] if at % 7 == 0 else (float(at), -1.5, None, 3) for at in range(num_rows)]
    memory.deserialize(empty(4, page_bytes), name="image")
    memory.executemany(f"INSERT INTO image.{TABLE} VALUES (?, ?, ?, ?)", rows)
    values_CN, null_CN = unpack(memory.serialize(name="image"), 4)
    expected = [tuple(np.nan if value in (None, "NaN") else float(value) for value in row) for row in rows]  # type: ignore[arg-type]
    assert as_text([tuple(row) for row in values_CN.T.tolist()]) == as_text(expected)
    assert null_CN.T.tolist() == [[value is None for value in row] for row in rows]


def test_a_build_of_sqlite_without_databases_as_bytes_stores_and_reads_the_same(
    new_database: Callable[[str], str], open_database: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    values_CN, known_CN = draw(2_000, 2, gaps=True)
    rows = MetricRows(("loss", "lr"), np.repeat([1, 4], 1_000), np.tile(np.arange(1_000), 2), values_CN, known_CN)
    stored, found = [], []
    for has_images in (True, False):
        monkeypatch.setattr(sqlite_rows, "HAS_IMAGES", has_images)
        database = open_database(new_database("sqlite"))
        with database.transaction(lambda connection: stage(connection, 7, rows)) as session:
            write_rows(session, 7, rows)
            stored.append(as_text(session.execute(text("SELECT * FROM metrics")).all()))  # type: ignore[arg-type]
        with database.snapshot() as session:
            found.append(read(session, 7, Span(0, 5), ["lr", "loss"]))
    assert stored[0] == stored[1]
    assert as_text(found[0].values_CN.tolist()) == as_text(found[1].values_CN.tolist())
    assert found[0].null_CN.tolist() == found[1].null_CN.tolist()
    assert found[0].index_N.tolist() == found[1].index_N.tolist()
