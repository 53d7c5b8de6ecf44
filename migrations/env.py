"""How Alembic reaches the database: the connection handed to it, or the one of the settings."""

import warnings

from alembic import context
from sqlalchemy import Connection

from service.database import accounts, tables
from service.database.connection import Database
from service.settings import get_settings


def run(connection: Connection) -> None:
    """Run the migrations that were asked for, all in one transaction."""
    # SQLite changes a table by copying it; two API processes that start at once take turns on PostgreSQL by this lock.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20250001)")
    # `alembic check` looks at indexes of the models that only PostgreSQL has.
    warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index", UserWarning)
    metadata = [*{module.Base.metadata for module in (accounts, tables)}]
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


handed = context.config.attributes.get("connection")
if handed is not None:
    run(handed)
else:
    database = Database(get_settings().database_url)
    with database.engine.connect() as own:
        own = own.execution_options(writes=True)
        run(own)
        own.commit()
    database.close()
