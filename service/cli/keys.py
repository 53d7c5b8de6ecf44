"""`ravine keys`: create, list and revoke API keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

app = typer.Typer(
    help="Create, list and revoke API keys. After the first key, every request needs one.",
    no_args_is_help=True,
)

DataFolder = Annotated[
    Path | None,
    typer.Option(help="Folder of a `ravine up`; by default the database at RAVINE_DATABASE_URL."),
]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Name of the owner of the key.")],
    admin: Annotated[bool, typer.Option("--admin", help="Allow access to the jobs of all owners.")] = False,
    data_dir: DataFolder = None,
) -> None:
    """Create a key and print it. Only its hash is stored, so it cannot be shown again."""
    from service.jobs import owners

    with _transaction(data_dir) as session:
        row, key = owners.create(session, _named(name), is_admin=admin)
        made = f"Created the {'admin ' if admin else ''}key {row.name!r} ({row.id}). It is not shown again:"
    typer.echo(made, err=True)
    typer.echo(key)


@app.command("list")
def list_keys(data_dir: DataFolder = None) -> None:
    """List all keys with id, kind, time of creation, time of revocation and name."""
    from service.jobs import owners

    with _transaction(data_dir) as session:
        for row in owners.listed(session):
            revoked = f"revoked {row.revoked_at:%Y-%m-%d %H:%M}" if row.revoked_at else "in use"
            typer.echo(
                f"{row.id}  {'admin' if row.is_admin else 'user ':5}  {row.created_at:%Y-%m-%d %H:%M}  "
                f"{revoked:24}  {row.name}"
            )


@app.command()
def revoke(
    name_or_id: Annotated[str, typer.Argument(metavar="NAME|ID", help="Name or id of the key.")],
    data_dir: DataFolder = None,
) -> None:
    """Revoke a key; it becomes invalid within one second. Its jobs stay and are visible to admins."""
    from service.jobs import owners

    with _transaction(data_dir) as session:
        revoked = owners.revoke(session, name_or_id)
        message = f"Revoked the key {revoked.name!r} ({revoked.id})."
    typer.echo(message)


def _named(name: str) -> str:
    if not name.strip() or not name.isprintable() or len(name) > 100:
        raise typer.BadParameter("a name must have 1 to 100 printable characters", param_hint="--name")
    return name.strip()


@contextmanager
def _transaction(data_dir: Path | None) -> "Iterator[Session]":
    """Open a transaction; errors are printed in one line, with exit code 1."""
    from sqlalchemy.exc import SQLAlchemyError

    from service.cli.local.migration import bring_up_to_date
    from service.cli.local.preconditions import DataDir, StackError
    from service.database.connection import Database
    from service.database.revisions import check
    from service.errors import RavineError
    from service.settings import get_settings

    try:
        if data_dir is not None:
            folder = DataDir(data_dir)
            folder.path.mkdir(parents=True, exist_ok=True)
            # As in `ravine up`: keys can be created before the first start.
            bring_up_to_date(folder.database_url)
            url = folder.database_url
        else:
            url = get_settings().database_url
        database = Database(url)
        try:
            check(database)
            with database.transaction() as session:
                yield session
        finally:
            database.close()
    except (StackError, RavineError, SQLAlchemyError, OSError) as error:
        typer.secho(f"ravine: {str(error).partition(chr(10))[0]}", fg="red", err=True)
        raise typer.Exit(1) from error
