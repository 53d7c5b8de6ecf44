"""The revision of the tables of a database, compared with that of this version. Alembic is not needed for it."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from service.database.connection import Database
from service.errors import Unavailable

MIGRATIONS = Path(__file__).parents[2] / "migrations"


@dataclass(frozen=True)
class Mismatch:
    """The tables are not those of this version: what they are, and what to do."""

    found: str
    way_out: str
    is_newer: bool


class NewerDatabase(Exception):
    """A newer version of Ravine has migrated the tables, so this version cannot."""


def check(database: Database) -> None:
    """Raise Unavailable unless the database is reachable and its tables have the revision of this version."""
    try:
        found = current_revision(database)
    except OperationalError as error:
        raise Unavailable(f"the database cannot be reached: {error.orig}") from error
    if (mismatch := compare(found)) is not None:
        raise Unavailable(f"{mismatch.found}: {mismatch.way_out}")


def compare(found: str | None) -> Mismatch | None:
    """Compare the revision of tables with that of this version; None if they are equal."""
    newest = newest_revision()
    if found == newest:
        return None
    if found is not None and found > newest:
        return Mismatch(
            f"the database was migrated by a newer version of Ravine (migration {found}, this version knows {newest})",
            "install that version, or restore the backup from before its migration",
            is_newer=True,
        )
    state = "has no tables" if found is None else f"is at migration {found}"
    return Mismatch(f"the database {state}, this version needs {newest}", "run `ravine migrate`", is_newer=False)


def current_revision(database: Database) -> str | None:
    """Give the revision of the tables; None without tables."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def newest_revision() -> str:
    """Give the revision of this version: files of migrations are named after theirs, which are numbered."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
