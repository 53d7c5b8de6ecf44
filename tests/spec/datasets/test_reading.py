"""Files of any usual dialect, encoding and type become the same columns of numbers and categories."""

import csv
import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from service.errors import Rejected
from service.spec.datasets.media import CSV, NPZ, PARQUET, TEXT, media_type_of
from service.spec.datasets.reading import read
from service.spec.datasets.summary import summarize
from service.spec.datasets.table import Table
from tests.spec.datasets.bad_files import npz, parquet


def shown(table: Table) -> dict[str, list[Any]]:
    """Give the values of each column, None where they are missing."""
    return {
        column.name: [
            (column.categories[value] if value >= 0 else None)
            if column.kind == "category"
            else None if np.isnan(value) else value
            for value in column.values.tolist()
        ]
        for column in table.columns
    }  # fmt: skip


HOUSES = {"area": [120.5, 80.0, None], "city": ["Köln", None, "Aachen"], "rooms": [4.0, 3.0, 2.0]}
WRITTEN = {
    "commas": "area,city,rooms\n120.5,Köln,4\n80,,3\n,Aachen,2\n",
    "semicolons and decimal commas": "area;city;rooms\n120,5;Köln;4\n80;NA;3\nNaN;Aachen;2\n",
    "semicolons and decimal points": "area;city;rooms\n120.5;Köln;4\n80;NA;3\nNaN;Aachen;2\n",
    "tabs and Windows lines": "area\tcity\trooms\r\n120.5\tKöln\t4\r\n80\tnull\t3\r\nN/A\tAachen\t2\r\n",
    "bars and spaces": "area | city | rooms\n 120.5 | Köln | 4\n 80 | NA | 3\n NA | Aachen | 2\n",
    "quotes and empty lines": '\n"area","city","rooms"\n"120.5","Köln","4"\n\n80,,3\n"",Aachen,2',
    "a first line that names semicolons": "sep=;\narea;city;rooms\n120,5;Köln;4\n80;NA;3\nNaN;Aachen;2\n",
    "a quoted first line that names tabs": '"sep=\t"\r\narea\tcity\trooms\r\n120.5\tKöln\t4\r\n80\t\t3\r\n\tAachen\t2',
    "old Macintosh lines": "area,city,rooms\r120.5,Köln,4\r80,,3\r,Aachen,2\r",
}


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("dialect", WRITTEN)
def test_dialects_and_encodings_give_the_same_table(dialect: str, encoding: str) -> None:
    table = read(WRITTEN[dialect].encode(encoding), CSV)
    assert shown(table) == HOUSES
    assert table["city"].categories == ("Aachen", "Köln")
    assert [column.values.dtype for column in table.columns] == [np.float64, np.int32, np.float64]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("5.1,3.5,setosa\n4.9,3,virginica\n", ("column_1", "column_2", "column_3")),
        ("1,2\n3,4\n", ("column_1", "column_2")),
        ("0,1\n3,4\n", ("0", "1")),
        ("country,1990,1991,1992\nchad,1,2,3\n", ("country", "1990", "1991", "1992")),
        (",a\n0,1\n1,2\n", ("column_1", "a")),
        ("a\nb\nc\n", ("a",)),
        ("7\n8\n9\n", ("column_1",)),
    ],
)
def test_the_first_row_is_the_header_unless_its_cells_are_numbers_above_numbers(
    text: str, names: tuple[str, ...]
) -> None:
    assert tuple(column.name for column in read(text.encode(), CSV).columns) == names


def test_a_delimiter_named_by_the_first_line_is_taken_although_another_splits_more() -> None:
    table = read(b"sep=;\na;b\n1,5,2;3\n4,5,6;7\n", CSV)
    assert shown(table) == {"a": ["1,5,2", "4,5,6"], "b": [3.0, 7.0]}
    with pytest.raises(Rejected, match="line 4: the row has 3 cells, the first one has 2"):
        read(b"sep=;\na;b\n1;2\n3;4;5\n", CSV)


def test_the_content_type_may_say_whether_there_is_a_header() -> None:
    assert shown(read(b"1,2\n3,4\n", media_type_of("text/csv; header=present", "")))["1"] == [3.0]
    assert shown(read(b"a,b\nc,d\n", media_type_of("text/csv; charset=utf-8; header=absent", "")))["column_1"] == [
        "a",
        "c",
    ]


def test_a_column_is_a_category_if_a_value_far_below_is_not_a_number() -> None:
    table = read(b"a,b\n" + b"1,2\n" * 5_000 + b"x,3\n", CSV)
    assert table["a"].categories == ("1", "x")
    assert table["b"].kind == "number"
    assert table.num_rows == 5_001


def test_numbers_are_those_that_python_reads() -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(size=2_000) * 10.0 ** rng.integers(-300, 300, 2_000), [5e-324, 2**53 + 1]])
    written = "x\n" + "\n".join(map(repr, values.tolist()))
    assert np.array_equal(read(written.encode(), CSV)["x"].values, values)
    # Hexadecimal digits, underscores and separated thousands are texts.
    assert read(b'x,y\n"1,234",0x1f\n"2,000",1_0\n', CSV)["x"].kind == "category"


def test_thousands_of_columns_are_read() -> None:
    header = ",".join(f"gene_{at}" for at in range(8_000))
    row = ",".join(["0.5"] * 8_000)
    table = read(f"{header}\n{row}\n{row}\n".encode(), CSV)
    assert summarize(table)["shape"] == [2, 8_000]


def test_parquet_has_numbers_booleans_texts_and_dictionaries() -> None:
    frame = pd.DataFrame({"n": [1, 2, 3], "f": [0.5, None, 2.5], "b": [True, False, True], "s": ["z", None, "a"]})
    frame["d"] = pd.Categorical(["v", "u", "v"], categories=["w", "v", "u"])
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    table = read(file.getvalue(), PARQUET)
    assert shown(table) == {
        "n": [1.0, 2.0, 3.0],
        "f": [0.5, None, 2.5],
        "b": ["true", "false", "true"],
        "s": ["z", None, "a"],
        "d": ["v", "u", "v"],
    }
    # Categories that no row has are left out.
    assert table["d"].categories == ("u", "v")


def test_parquet_of_several_groups_and_more_than_a_batch_of_columns_is_read_whole() -> None:
    columns = {f"c{at}": pa.array([f"{at}-{row % 3}" for row in range(9)]).dictionary_encode() for at in range(150)}
    table = read(parquet(columns, row_group_size=4), PARQUET)
    assert len(table.columns) == 150
    assert shown(table)["c149"] == [f"149-{row % 3}" for row in range(9)]


def test_npz_has_features_or_images_and_classes_sorted_as_numbers() -> None:
    x = np.asfortranarray(np.arange(6.0).reshape(3, 2))
    table = read(npz(x=x, y=np.array([10, -2, 9], dtype=">i2")), NPZ)
    assert shown(table) == {"x0": [0.0, 2.0, 4.0], "x1": [1.0, 3.0, 5.0], "y": ["10", "-2", "9"]}
    assert table["y"].categories == ("-2", "9", "10")
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    grey, colours = (read(npz(x=x, y=np.array([0.5, 1.5])), NPZ) for x in (images, images.reshape(2, 2, 2, 3)))
    assert np.array_equal(grey["x"].values, images[..., None].astype(np.float32))
    assert (grey["x"].kind, grey["y"].kind) == ("image", "number")
    assert summarize(colours)["shape"] == [2, 2, 2, 3]


def test_a_text_is_its_characters() -> None:
    table = read("\ufeffaé\r\nb\n".encode("utf-16-le"), TEXT)
    assert table.text == "aé\nb\n"
    assert summarize(table) == {
        "rows": 5,
        "columns": [
            {"name": "text", "kind": "text", "missing": 0, "distinct": 4, "min": None, "max": None, "mean": None}
        ],
        "shape": [5],
    }


def test_a_summary_counts_missing_and_distinct_values() -> None:
    area, city, _ = summarize(read(WRITTEN["commas"].encode(), CSV))["columns"]
    assert area == {
        "name": "area", "kind": "number", "missing": 1, "distinct": 2, "min": 80.0, "max": 120.5, "mean": 100.25
    }  # fmt: skip
    assert (city["kind"], city["missing"], city["distinct"], city["mean"]) == ("category", 1, 2, None)
    (large,) = summarize(read(b"a\n1.5e308\n1.5e308\n", CSV))["columns"]
    assert large["mean"] == 1.5e308


def test_the_ending_of_the_name_tells_the_type_where_the_sender_does_not() -> None:
    assert media_type_of("application/x-www-form-urlencoded", "houses.CSV") == CSV
    assert media_type_of("application/x-parquet", "houses") == PARQUET
    with pytest.raises(Rejected, match="not image/png"):
        media_type_of("image/png", "houses.csv")
    with pytest.raises(Rejected, match="without a type"):
        media_type_of("", "houses")


def test_reading_a_short_file_leaves_the_limit_of_other_csv_readers_of_the_process() -> None:
    before = csv.field_size_limit()
    read(b"a,b\n1,2\n", CSV)
    assert csv.field_size_limit() >= before
