"""The migrations make the tables of the models, on both databases, up and down and up again."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from service.database.connection import Database
from service.database.metadata import METADATA
from service.database.migrations import migrate
from service.database.revisions import MIGRATIONS, check, current_revision, newest_revision
from service.errors import Unavailable


# An index that SQLite does not have either.
@pytest.mark.filterwarnings(
    "ignore:autogenerate skipping metadata-specified expression-based index 'ix_metrics_blocks'"
)
def test_the_migrations_make_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    check(database)


def test_migrations_go_down_and_up_again(database: Database, database_url: str) -> None:
    with database.engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
    with pytest.raises(Unavailable, match="ravine migrate"):
        check(database)
    migrate(database_url)
    check(database)


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    migrate(database_url)


def test_the_newest_revision_is_the_head_of_the_migrations(database: Database) -> None:
    assert newest_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head() == current_revision(database)
