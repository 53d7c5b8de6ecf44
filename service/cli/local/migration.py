"""Migration of the database of a stack or of the settings, with errors that state a remedy."""

from contextlib import closing

from service.cli.local.preconditions import StackError


def bring_up_to_date(database_url: str) -> None:
    """Migrate a database. Raises StackError if it cannot be reached or belongs to a newer version."""
    # Imported here, because most commands of `ravine` import this file and do not need SQLAlchemy.
    from service.database.migrations import migrate
    from service.database.revisions import NewerDatabase

    try:
        migrate(database_url)
    except NewerDatabase as error:
        raise StackError(str(error)) from error
    except Exception as error:  # Of SQLAlchemy, Alembic or the driver; the first line has the reason.
        reason = str(error).partition("\n")[0]
        raise StackError(f"The database cannot be migrated to this version: {reason}") from error


def keeps_free_space(database_url: str) -> bool:
    """Whether the database is a file of an older version, which does not return the space of deleted rows."""
    from service.database.connection import Database

    with closing(Database(database_url)) as database, database.snapshot() as session:
        return not database.dialect.gives_back(session)
