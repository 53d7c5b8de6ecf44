"""The query ``labels=``: repeated values, labels with commas, and labels that no run has, in every format."""

import re
from collections.abc import Iterator

import httpx
import pytest

from service.client import Ravine
from service.client.errors import Refused
from service.database.connection import Database
from tests.servers import Stack
from tests.stored import Stored

LABELS = ["a", "b", "a,b", "c, d", " padded "]


@pytest.fixture
def stored(stack_database: Database) -> Stored:
    entries = [{"label": label, "kind": "sgd", "lr": 0.01} for label in LABELS]
    entries.append({"label": "grid", "kind": "sgd", "lr": [0.1, 0.2]})
    stored = Stored(stack_database, optimizers=entries, seeds=[0])
    stored.finish()
    return stored


@pytest.fixture
def ravine(stack: Stack) -> Iterator[Ravine]:
    with Ravine(stack.url) as ravine:
        yield ravine


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["a"], ["a"]),
        (["a,b"], ["a,b"]),
        (["b,a"], ["a", "b"]),
        (["a", "c, d"], ["a", "c, d"]),
        (["b, a", "b"], ["a", "b"]),
        ([" padded "], [" padded "]),
        (["grid lr=0.2,a"], ["a", "grid lr=0.2"]),
    ],
)
def test_a_value_is_a_label_as_a_whole_or_else_a_list(
    client: httpx.Client, stored: Stored, values: list[str], found: list[str]
) -> None:
    runs = client.get(f"/v1/jobs/{stored.id}/metrics", params={"labels": values}).json()["runs"]
    assert [run["label"] for run in runs] == found


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    "path",
    [
        "metrics?",
        "metrics?format=csv&",
        "metrics?format=ndjson&",
        "metrics?format=parquet&",
        "metrics?last_event_id=&",
        "events?",
        "plot.png?",
        "plot.svg?kind=loss&",
    ],
)
def test_a_label_that_no_run_has_is_rejected_with_the_labels_there_are(
    client: httpx.Client, stored: Stored, path: str
) -> None:
    for value in ("nobody", "a,nobody", ""):
        answer = client.get(f"/v1/jobs/{stored.id}/{path}labels=a&labels={value}")
        assert answer.status_code == 422
        error = answer.json()["errors"][0]
        assert error["loc"] == ["query", "labels"]
        assert f"there is no label {value.removeprefix('a,')!r}; there are a, b, a,b, c, d" in error["msg"]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("format_name", ["json", "csv", "ndjson", "parquet"])
def test_the_list_of_runs_rejects_a_label_that_no_run_has(
    client: httpx.Client, stored: Stored, format_name: str
) -> None:
    for value in ("nobody", "a,nobody", ""):
        answer = client.get(f"/v1/jobs/{stored.id}/runs", params={"label": value, "format": format_name})
        assert answer.status_code == 422
        error = answer.json()["errors"][0]
        assert error["loc"] == ["query", "label"]
        assert f"there is no label {value!r}; there are a, b, a,b, c, d" in error["msg"]
    for value in ("a,b", "grid lr=0.2"):
        answer = client.get(f"/v1/jobs/{stored.id}/runs", params={"label": value, "format": "ndjson"})
        assert len(answer.text.splitlines()) == 1


@pytest.mark.slow(after=1)
def test_plots_and_events_take_repeated_labels(client: httpx.Client, stored: Stored) -> None:
    query = {"labels": ["c, d", "a,b"]}
    picture = client.get(f"/v1/jobs/{stored.id}/plot.svg", params=query).raise_for_status().text
    assert "c, d ends at" in picture
    assert "padded" not in picture
    events = client.get(f"/v1/jobs/{stored.id}/events", params={**query, "fields": "loss"}).text
    assert set(re.findall(r'"run_id":"[^"]+","label":"([^"]+)"', events)) == {"c, d", "a,b"}


def test_the_client_sends_labels_with_commas_whole(ravine: Ravine, stored: Stored) -> None:
    assert [history.label for history in ravine.metrics(stored.id, labels=["a,b", "c, d"])] == ["a,b", "c, d"]
    assert [history.label for history in ravine.metrics(stored.id, labels="b")] == ["b"]
    table = b"".join(ravine.tables(job_id=stored.id, format="csv", labels=["c, d"], fields=["loss"]))
    assert {line.split(b'"')[1] for line in table.splitlines()[1:]} == {b"c, d"}
    with pytest.raises(Refused, match="there is no label 'nobody'"):
        list(ravine.metrics(stored.id, labels=["nobody"]))
    with pytest.raises(Refused, match="there is no label ''"):
        list(ravine.metrics(stored.id, labels=[]))
