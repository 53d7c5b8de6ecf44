"""Migration of a database to the tables of this version, and the check of its revision; the only user of Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from service.database.connection import Database
from service.errors import Unavailable

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def migrate(url: str, revision: str = "head") -> None:
    """Migrate the tables to a revision, by default the newest."""
    database = Database(url)
    try:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with database.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        database.close()


def check(database: Database) -> None:
    """Raise Unavailable unless the database is reachable and its tables have the revision of this version."""
    try:
        found = current_migration(database)
    except OperationalError as error:
        raise Unavailable(f"the database cannot be reached: {error.orig}") from error
    wanted = newest_migration()
    if found != wanted:
        raise Unavailable(f"the database is at migration {found}, this version needs {wanted}: run `ravine migrate`")


def current_migration(database: Database) -> str | None:
    """Give the revision of the tables; None without tables."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_migration() -> str | None:
    """Give the revision of this version."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()
