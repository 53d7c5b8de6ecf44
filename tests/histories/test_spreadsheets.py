"""CSV of labels that would break a file or run in a spreadsheet program, and columns of whole numbers."""

import csv
import io
from typing import Any

import httpx
import pandas
import pytest
from pyarrow import parquet

from service.client import Ravine
from service.database.connection import Database
from tests.servers import Stack
from tests.stored import Stored

LABELS = ["one\rtwo", "one\ntwo", "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", 'says "no", twice', "-", "plain"]
SCHEDULE = {"kind": "step", "decay_steps": 2}


@pytest.fixture
def stored(stack_database: Database) -> Stored:
    entries: list[dict[str, Any]] = [{"label": label, "kind": "sgd", "lr": 1} for label in LABELS]
    entries[0]["schedule"] = SCHEDULE
    stored = Stored(stack_database, optimizers=entries, seeds=[0], loss=lambda run, epoch: -1.5)
    stored.finish()
    return stored


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("what", ["runs", "metrics"])
def test_a_label_with_a_line_break_is_one_quoted_field(client: httpx.Client, stored: Stored, what: str) -> None:
    text = client.get(f"/v1/jobs/{stored.id}/{what}?format=csv").content.decode()
    assert '"one\rtwo"' in text
    assert '"one\ntwo"' in text
    assert list(dict.fromkeys(row["label"] for row in table(text))) == LABELS


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("what", ["runs", "metrics"])
def test_for_spreadsheets_texts_that_would_run_have_an_apostrophe_and_numbers_do_not(
    client: httpx.Client, stored: Stored, what: str
) -> None:
    content = client.get(f"/v1/jobs/{stored.id}/{what}?excel=true").content
    assert content.startswith(b"\xef\xbb\xbf")
    rows = table(content.decode("utf-8-sig"))
    guarded = [label if label[0] in "osp" else f"'{label}" for label in LABELS]
    assert list(dict.fromkeys(row["label"] for row in rows)) == guarded
    if what == "metrics":
        assert {row["loss"] for row in rows} == {"-1.5"}


@pytest.mark.slow(after=1)
def test_only_csv_is_written_for_spreadsheets(client: httpx.Client, stored: Stored) -> None:
    assert not client.get(f"/v1/jobs/{stored.id}/runs?format=csv").content.startswith(b"\xef\xbb\xbf")
    answer = client.get(f"/v1/jobs/{stored.id}/metrics?excel=true&format=parquet")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["query", "excel"]


@pytest.mark.slow(after=1)
def test_the_client_reads_csv_for_spreadsheets(stack: Stack, stored: Stored) -> None:
    with Ravine(stack.url) as ravine:
        content = b"".join(ravine.tables(job_id=stored.id, format="csv", excel=True, fields=["loss"]))
    assert content.startswith(b"\xef\xbb\xbfrun_id,label,")
    assert b",'=1+1," in content


@pytest.mark.slow(after=1)
def test_whole_numbers_of_a_setting_stay_whole_in_tables(client: httpx.Client, stored: Stored) -> None:
    here = f"/v1/jobs/{stored.id}/runs"
    rows = table(client.get(f"{here}?format=csv").text)
    assert [row["optimizer.schedule.decay_steps"] for row in rows] == ["2"] + [""] * (len(LABELS) - 1)
    assert rows[0]["optimizer.lr"] == "1.0"
    columns = parquet.read_table(io.BytesIO(client.get(f"{here}?format=parquet").content))
    assert str(columns.schema.field("optimizer.schedule.decay_steps").type) == "int64"
    assert str(columns.schema.field("optimizer.lr").type) == "double"
    frame = pandas.read_csv(io.StringIO(client.get(f"{here}?format=csv").text))
    assert frame["optimizer.lr"].dtype == "float64"


def test_the_momentum_of_a_setting_is_a_number_and_its_name_in_a_formula_a_text(
    client: httpx.Client, stack_database: Database
) -> None:
    rule = {"kind": "formula", "lr": 0.1, "state": {"v": 0}, "parameters": {"b": 0.5}, "momentum": "b"}
    entries = [
        {**rule, "label": "own", "update": ["v = b*v + g", "w = w - lr*v"]},
        {"label": "built in", "kind": "momentum", "lr": 0.1, "momentum": 0.9},
    ]
    stored = Stored(stack_database, optimizers=entries, seeds=[0])
    stored.finish()
    here = f"/v1/jobs/{stored.id}/runs"
    frame = pandas.read_csv(io.StringIO(client.get(f"{here}?format=csv").text))
    columns = parquet.read_table(io.BytesIO(client.get(f"{here}?format=parquet").content))
    assert frame["optimizer.momentum"].dtype == "float64"
    assert str(columns.schema.field("optimizer.momentum").type) == "double"
    assert columns["optimizer.momentum"].to_pylist() == [None, 0.9]
    assert columns["optimizer.momentum_name"].to_pylist() == ["b", None]
    assert columns["optimizer.parameters.b"].to_pylist() == [0.5, None]
