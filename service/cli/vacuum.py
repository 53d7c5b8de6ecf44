"""`ravine vacuum`: rebuild the database without free space."""

import shutil
from pathlib import Path
from typing import Annotated, NoReturn

import typer

DataFolder = Annotated[
    Path | None, typer.Option(help="Folder of a `ravine up`; by default the database at RAVINE_DATABASE_URL.")
]
# The new file is made in a temporary file, and passes through the WAL.
ROOM_FACTOR = 2


def vacuum(data_dir: DataFolder = None) -> None:
    """Rebuild the database without free space. Stop the service first; a large database takes minutes.

    It is needed once for an SQLite file made by an older version: from then on the service returns the space of
    deleted jobs to the disk by itself.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from service.cli.local.preconditions import DataDir
    from service.database.connection import Database
    from service.database.revisions import check
    from service.errors import Unavailable
    from service.settings import get_settings

    folder = None if data_dir is None else DataDir(data_dir)
    if folder is not None and (owner := folder.owner()) is not None:
        _give_up(f"process {owner} uses {folder.path}: stop it with `ravine down` first")
    database = Database(get_settings().database_url if folder is None else folder.database_url)
    try:
        if database.file is not None and not database.file.exists():
            _give_up(f"there is no database at {database.file}")
        check(database)
        before = database.file.stat().st_size if database.file else 0
        if database.file is not None:
            free = shutil.disk_usage(database.file.parent).free
            if free < ROOM_FACTOR * before:
                _give_up(
                    f"{ROOM_FACTOR * before >> 20:,} MiB of free space are needed beside {database.file}, "
                    f"and {free >> 20:,} MiB are free"
                )
        database.rebuild()
        after = database.file.stat().st_size if database.file else 0
    except (SQLAlchemyError, Unavailable, OSError) as error:
        _give_up(str(error).partition("\n")[0])
    finally:
        database.close()
    if database.file is None:
        typer.echo("The tables are rebuilt.")
    else:
        typer.echo(f"The file had {before >> 20:,} MiB and has {after >> 20:,} MiB.")


def _give_up(reason: str) -> NoReturn:
    typer.secho(f"ravine: {reason}", fg="red", err=True)
    raise typer.Exit(1)
