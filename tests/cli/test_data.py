"""`ravine data`: add, list, show, rm."""

import json
from pathlib import Path

import pytest

from tests.cli.invoke import Command

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


@pytest.mark.slow
def test_a_file_is_added_shown_listed_and_removed(ravine: Command) -> None:
    Path("houses.csv").write_text("area,city\n120.5,[bold]Aachen\n80,\n")
    added = ravine("data", "add", "houses.csv", "--name", "my houses", "--ttl", "600")
    assert added.exit_code == 0
    dataset_id = added.stdout.strip()
    again = json.loads(ravine("data", "add", "houses.csv", "--json").stdout)
    # Without a time to live it is kept.
    assert (again["id"], again["name"], again["expires_at"]) == (dataset_id, "my houses", None)
    shown = ravine("data", "show", dataset_id).stdout
    assert "my houses" in shown
    assert "2 × 2, 33 bytes, text/csv\n" in shown
    assert ["area", "number", "0", "2", "80", "120.5", "100.2"] in [line.split() for line in shown.splitlines()]
    listed = ravine("data", "list").stdout
    assert dataset_id in listed
    assert "iris" in listed
    assert [one["id"] for one in json.loads(ravine("data", "list", "--limit", "1", "--json").stdout)] == [dataset_id]
    (usage,) = [line.split() for line in ravine("usage").stdout.splitlines() if line.strip().startswith("datasets")]
    assert usage[2:] == ["–", "1,000", "stored"]
    assert int(usage[1]) >= 1
    assert ravine("data", "rm", dataset_id).stdout == f"{dataset_id} is deleted.\n"
    assert ravine("data", "show", dataset_id).exit_code == 2


def test_a_file_that_cannot_be_read_ends_with_its_line(ravine: Command) -> None:
    Path("bad.csv").write_text("a,b\n1,2\n3\n")
    failed = ravine("data", "add", "bad.csv")
    assert failed.exit_code == 2
    assert "line 3: the row has 1 cells, the first one has 2" in failed.stderr
    assert "cannot be read" in ravine("data", "add", "nowhere.csv").stderr
