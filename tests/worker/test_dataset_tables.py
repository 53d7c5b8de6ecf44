"""Workers on two hosts get the same bits of a dataset, and read its content once on each host."""

from collections.abc import Callable
from pathlib import Path

import pytest

from service.database.accounts import DatasetChunk
from service.database.connection import Database
from service.database.datasets import adding, removing
from service.database.datasets.adding import NewFile
from service.errors import NotFound
from service.settings import Settings
from service.spec.datasets import builtin
from service.spec.datasets.decoded import DecodedTables
from service.spec.datasets.media import CSV
from tests.queued import count
from tests.spec.datasets.test_decoded import require_same
from worker import datasets

HOUSES = b"area,city\n120.5,Aachen\n80,\n,Bonn\n"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The function that lets the worker run on a host of a name."""

    def move(name: str) -> None:
        here = DecodedTables(Settings(dataset_folder=str(tmp_path / name)))
        monkeypatch.setattr(datasets, "_tables", lambda: here)

    return move


def test_every_host_decodes_the_same_table(database: Database, tmp_path: Path, host: Callable[[str], None]) -> None:
    file = tmp_path / "houses.csv"
    file.write_bytes(HOUSES)
    digest = adding.digest_of(file)
    settings = Settings(dataset_folder=str(tmp_path / "api"))
    summary = DecodedTables(settings).decode(file, digest, CSV)
    found, is_new = adding.add(database, "ann", NewFile(file, "houses", CSV, digest, summary), settings)
    assert is_new
    host("one")
    one = datasets.table(database, found.id, digest)
    host("two")
    two = datasets.table(database, found.id, digest)
    assert one is not two
    require_same(one, two)
    with pytest.raises(NotFound, match="has the digest"):
        datasets.table(database, found.id, "0" * 64)
    with database.transaction() as session:
        removing.remove(session, "ann", found.id)
    with pytest.raises(NotFound, match="there is no dataset"):
        datasets.table(database, found.id, digest)
    assert count(database, DatasetChunk) == 1


def test_built_in_datasets_need_no_database_row(database: Database) -> None:
    assert datasets.table(database, "iris", builtin.digest("iris")) is builtin.table("iris")
