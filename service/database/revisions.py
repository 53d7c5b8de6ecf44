"""The revision of the tables of a database, compared with that of this version. Alembic is not needed for it."""

from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from service.database.connection import Database
from service.errors import Unavailable

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def check(database: Database) -> None:
    """Raise Unavailable unless the database is reachable and its tables have the revision of this version."""
    try:
        found = current_revision(database)
    except OperationalError as error:
        raise Unavailable(f"the database cannot be reached: {error.orig}") from error
    newest = newest_revision()
    if found != newest:
        raise Unavailable(f"the database is at migration {found}, this version needs {newest}: run `ravine migrate`")


def current_revision(database: Database) -> str | None:
    """Give the revision of the tables; None without tables."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def newest_revision() -> str:
    """Give the revision of this version: files of migrations are named after theirs, which are numbered."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
