"""Migration of a database to the tables of this version; the only module that imports Alembic, which takes 0.1 s."""

from alembic import command
from alembic.config import Config

from service.database.connection import Database
from service.database.revisions import MIGRATIONS, NewerDatabase, compare, current_revision


def migrate(url: str, revision: str = "head") -> None:
    """Migrate the tables to a revision, by default the newest.

    Raises:
        NewerDatabase: A newer version of Ravine has migrated the tables.
    """
    database = Database(url)
    try:
        mismatch = compare(current_revision(database))
        if mismatch is not None and mismatch.is_newer:
            raise NewerDatabase(f"{mismatch.found}: {mismatch.way_out}")
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with database.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        database.close()
