"""A database for the tests of this folder, once of each kind."""

from collections.abc import Iterator

import pytest

from service.database.connection import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()
