"""Environment of Alembic: runs the migrations on a given connection, or on the database of the settings."""

import warnings

from alembic import context
from sqlalchemy import Connection

from service.database.connection import Database
from service.database.metadata import METADATA
from service.settings import get_settings


def run(connection: Connection) -> None:
    """Run the requested migrations in one transaction, which the caller commits."""
    # Begun before Alembic looks: on SQLite it would otherwise commit after each revision, and a process that starts at
    # the same time would go on from there.
    if not connection.in_transaction():
        connection.begin()
    # On PostgreSQL this lock lets only one of several starting processes migrate at a time. On SQLite, which changes a
    # table by copying it (render_as_batch), the write lock does.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20250001)")
    # The models have an index that only PostgreSQL supports; `alembic check` on SQLite would warn about it.
    warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index", UserWarning)
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    database = Database(get_settings().database_url)
    with database.engine.connect() as own:
        own = own.execution_options(writes=True)
        run(own)
        own.commit()
    database.close()
