"""Histories and runs as CSV, NDJSON and Parquet, read by pandas and polars, have the numbers of the JSON answer."""

import csv
import io
import json
import math
import struct
from typing import Any

import httpx
import pandas
import polars
import pytest
from pyarrow import parquet

from service.database.connection import Database
from tests.servers import Stack
from tests.stored import Stored

NAN, INFINITY = math.nan, math.inf
# Special values of floats, and null.
SPECIAL: list[float | None] = [0.1, None, -0.0, 1e308, 5e-324, 1 / 3, -1e-7, INFINITY, -INFINITY, NAN]


def special(run: int, epoch: int) -> float | None:
    return SPECIAL[(run + epoch) % len(SPECIAL)]


@pytest.fixture
def stored(stack_database: Database) -> Stored:
    stored = Stored(stack_database, loss=special)
    stored.finish()
    return stored


def bits(value: float | None) -> bytes | None:
    """The bits of a float, in which −0 differs from 0; all NaN are equal."""
    return None if value is None else struct.pack(">d", NAN if math.isnan(value) else value)


def expected(stored: Stored) -> list[tuple[int, int, bytes | None]]:
    return [(run, epoch, bits(special(run, epoch))) for run, epoch in stored.rows()]


def test_csv_distinguishes_nan_infinities_null_and_minus_zero(client: httpx.Client, stored: Stored) -> None:
    answer = client.get(f"/v1/jobs/{stored.id}/metrics", params={"format": "csv", "fields": "loss,momentum"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{stored.id}-metrics.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == ["run_id", "label", "seed", "index", "epoch", "loss", "momentum"]
    points = [(int(row["index"]), int(row["epoch"]), bits(float(row["loss"]) if row["loss"] else None)) for row in rows]
    assert points == expected(stored)
    assert {row["loss"] for row in rows} > {"nan", "inf", "-inf", "", "-0.0"}
    assert {row["momentum"] for row in rows} == {""}


def test_ndjson_is_strict_json_line_by_line(client: httpx.Client, stored: Stored) -> None:
    answer = client.get(f"/v1/jobs/{stored.id}/metrics?fields=loss", headers={"Accept": "application/x-ndjson"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line, parse_constant=pytest.fail) for line in answer.text.splitlines()]
    assert list(rows[0]) == ["run_id", "label", "seed", "index", "epoch", "loss"]
    points = [(row["index"], row["epoch"], bits(None if row["loss"] is None else float(row["loss"]))) for row in rows]
    assert points == expected(stored)
    assert {row["loss"] for row in rows} > {"NaN", "Infinity", "-Infinity"}


def test_parquet_has_nan_as_a_float_and_null_as_null(client: httpx.Client, stored: Stored) -> None:
    accept = {"Accept": "application/vnd.apache.parquet"}
    answer = client.get(f"/v1/jobs/{stored.id}/metrics?fields=loss", headers=accept)
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    rows = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert [(row["index"], row["epoch"], bits(row["loss"])) for row in rows] == expected(stored)
    assert rows[0]["label"] == "a"
    assert rows[-1]["seed"] == 2


def test_json_has_the_same_numbers(client: httpx.Client, stored: Stored) -> None:
    page = client.get(f"/v1/jobs/{stored.id}/metrics?fields=loss").json()["runs"]
    points = [
        (index, epoch, bits(None if loss is None else float(loss)))
        for index, run in enumerate(page)
        for epoch, loss in zip(run["epoch"], run["loss"], strict=True)
    ]
    assert points == expected(stored)


@pytest.mark.slow(after=1)
def test_pandas_and_polars_read_an_address(stack: Stack, client: httpx.Client, stack_database: Database) -> None:
    stored = Stored(stack_database, epochs=50)
    stored.finish()
    address = f"{stack.url}/v1/jobs/{stored.id}/metrics"
    answered = client.get(f"/v1/jobs/{stored.id}/metrics?fields=loss").json()["runs"]
    losses = [loss for run in answered for loss in run["loss"]]
    csv_frame = pandas.read_csv(f"{address}?format=csv&fields=loss")
    assert csv_frame["loss"].tolist() == losses
    parquet_frame = pandas.read_parquet(f"{address}?format=parquet")
    assert parquet_frame["loss"].tolist() == losses
    assert parquet_frame["label"].unique().tolist() == ["a", "b"]
    # polars reads the end of the file, then the columns, by ranges.
    assert polars.read_parquet(f"{address}?format=parquet")["loss"].to_list() == losses
    scanned = polars.scan_parquet(f"{address}?format=parquet").filter(polars.col("epoch") == 50).select("index")
    assert scanned.collect()["index"].to_list() == [0, 1, 2, 3, 4, 5]
    lines = client.get(f"{address}?format=ndjson&fields=loss").content
    frame = polars.read_ndjson(io.BytesIO(lines))
    assert frame["loss"].to_list() == losses
    assert frame.group_by("label").len().sort("label").rows() == [("a", 153), ("b", 153)]


def test_one_run_and_a_position(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [{"label": 'w, "%s"', "kind": "sgd", "lr": 0.01}],
        "epochs": 3,
    }
    job = client.post("/v1/jobs", json=spec).raise_for_status().json()
    frames = client.get(f"/v1/jobs/{job['id']}/events?fields=loss").text
    assert "event: end" in frames
    run = client.get(f"/v1/jobs/{job['id']}/runs").json()["items"][0]
    here = f"/v1/runs/{run['id']}/metrics"
    history = client.get(here).json()
    table = list(csv.DictReader(io.StringIO(client.get(f"{here}?format=csv").text)))
    assert [[float(row["x"]), float(row["y"])] for row in table] == history["position"]
    assert table[0]["label"] == history["label"] == 'w, "%s"'
    assert table[0]["train_loss"] == ""
    lines = [json.loads(line) for line in client.get(f"{here}?format=ndjson").text.splitlines()]
    assert [row["position"] for row in lines] == history["position"]
    assert lines[0]["label"] == history["label"]
    narrow = client.get(f"{here}?format=csv&from_epoch=1&to_epoch=2&fields=loss").text.splitlines()
    assert len(narrow) == 3


@pytest.mark.slow(after=1)
def test_runs_are_a_table_too(stack: Stack, client: httpx.Client, stack_database: Database) -> None:
    grid = [{"label": "a", "kind": "sgd", "lr": [0.1, 0.2]}, {"label": "b", "kind": "adam", "lr": 0.3}]
    stored = Stored(stack_database, optimizers=grid, seeds=[5, 7])
    stored.finish()
    address = f"{stack.url}/v1/jobs/{stored.id}/runs"
    items = client.get(f"{address}?limit=500").json()["items"]
    normal = pandas.json_normalize(items)
    for kind, frame in {
        "csv": pandas.read_csv(f"{address}?format=csv"),
        "parquet": pandas.read_parquet(f"{address}?format=parquet"),
    }.items():
        assert set(frame.columns) == set(normal.columns), kind
        for column in ("id", "label", "seed", "status", "optimizer.kind", "optimizer.lr"):
            assert frame[column].tolist() == normal[column].tolist(), (kind, column)
        assert frame["optimizer.beta1"].isna().tolist() == [True] * 4 + [False] * 2
    lines = client.get(f"{address}?format=ndjson&label=b").text.splitlines()
    assert [json.loads(line) for line in lines] == items[4:]


def test_runs_are_sorted_in_a_table_as_in_the_list(client: httpx.Client, stack_database: Database) -> None:
    stored = Stored(stack_database)
    stored.finish()
    listed = client.get(f"/v1/jobs/{stored.id}/runs?sort=final_loss").json()["items"]
    lines = client.get(f"/v1/jobs/{stored.id}/runs?sort=final_loss&format=ndjson").text.splitlines()
    assert [json.loads(line) for line in lines] == listed


def test_a_thinned_table_has_the_points_of_the_thinned_answer(
    client: httpx.Client, stack_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spiky(run: int, epoch: int) -> float:
        return {700: NAN, 333: 9e9, 41: -3.0}.get(epoch, math.sin(epoch + run))

    stored = Stored(stack_database, epochs=1_000, seeds=[0], loss=spiky)
    stored.finish()
    page = client.get(f"/v1/jobs/{stored.id}/metrics?fields=loss&max_points=40").json()["runs"]
    table = client.get(f"/v1/jobs/{stored.id}/metrics?fields=loss&max_points=40&format=csv").text
    points = [(int(row["index"]), int(row["epoch"])) for row in csv.DictReader(io.StringIO(table))]
    assert points == [(index, epoch) for index, run in enumerate(page) for epoch in run["epoch"]]
    assert {(0, 700), (1, 333), (1, 41), (0, 1_000)} <= set(points)


def test_a_format_that_accept_does_not_allow_is_406(client: httpx.Client, stored: Stored) -> None:
    for path in (f"/v1/jobs/{stored.id}/metrics", f"/v1/jobs/{stored.id}/runs"):
        answer = client.get(path, headers={"Accept": "image/png"})
        assert answer.status_code == 406
        assert answer.headers["content-type"] == "application/problem+json"
        assert "text/csv" in answer.json()["detail"]
    wrong = client.get(f"/v1/jobs/{stored.id}/metrics?format=xlsx")
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["loc"] == ["query", "format"]


def test_rows_after_an_id_can_be_exported(client: httpx.Client, stack_database: Database) -> None:
    stored = Stored(stack_database)
    stored.store(0, 3)
    stored.store(1, 5)
    here = f"/v1/jobs/{stored.id}/metrics"
    first = client.get(f"{here}?format=csv")
    stored.store(0, 2)
    polled = client.get(here, params={"last_event_id": first.headers["last-event-id"], "fields": "loss"})
    stored.finish()
    rest = client.get(here, params={"last_event_id": polled.json()["last_event_id"], "format": "ndjson"})
    points = [(int(row["index"]), int(row["epoch"])) for row in csv.DictReader(io.StringIO(first.text))]
    ids = {run["id"]: run["index"] for run in client.get(f"/v1/jobs/{stored.id}/runs").json()["items"]}
    points += [(ids[run["run_id"]], epoch) for run in polled.json()["runs"] for epoch in run["epoch"]]
    points += [(row["index"], row["epoch"]) for row in map(json.loads, rest.text.splitlines())]
    assert sorted(points) == stored.rows()
    nothing: dict[str, Any] = client.get(here, params={"last_event_id": rest.headers["last-event-id"]}).json()
    assert nothing["runs"] == []
