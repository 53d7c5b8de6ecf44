"""The files of SQLite: the WAL stays short under readers, and the space of deleted rows returns to the disk."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from typer.testing import CliRunner

from service.cli.main import app
from service.database.connection import Database
from service.database.dialects import sqlite_file
from service.jobs import lifecycle
from service.jobs.owners import ANYBODY
from service.jobs.upkeep import Upkeep
from tests.servers import until
from tests.stored import Stored

WAL_BYTES = 1 << 20


def file_of(url: str) -> Path:
    return Path(make_url(url).database or "")


@pytest.fixture
def url(new_database: Callable[[str], str]) -> str:
    return new_database("sqlite")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(Database(url)) as opened:
        yield opened


def wal_bytes(url: str) -> int:
    return Path(f"{file_of(url)}-wal").stat().st_size


@pytest.mark.slow
def test_the_wal_is_bounded_while_two_processes_write_and_readers_overlap(
    url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "WAL_BYTES", WAL_BYTES)
    with database.transaction() as session:
        session.execute(text("CREATE TABLE filler (data BLOB)"))
    stopped, peaks = threading.Event(), [0]

    def read() -> None:
        with closing(Database(url)) as own:
            while not stopped.is_set():
                # Two statements: the snapshot of the first one must not last until the second one.
                with own.snapshot() as session:
                    session.execute(text("SELECT count(*) FROM filler")).scalar_one()
                    stopped.wait(0.02)
                    session.execute(text("SELECT count(*) FROM jobs")).scalar_one()

    def write() -> None:
        with closing(Database(url)) as own:
            for _ in range(60):
                with own.transaction() as session:
                    session.execute(text("INSERT INTO filler VALUES (zeroblob(200000))"))
                peaks.append(wal_bytes(url))

    readers, writers = ([threading.Thread(target=one) for _ in range(num)] for one, num in ((read, 4), (write, 2)))
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stopped.set()
    for thread in readers:
        thread.join()
    # 24 MB were written.
    assert max(peaks) < 8 * WAL_BYTES
    database.shorten_journal()
    assert wal_bytes(url) == 0


def test_a_snapshot_holds_no_transaction_between_two_statements(url: str, database: Database) -> None:
    with database.snapshot() as session:
        session.execute(text("SELECT count(*) FROM jobs")).scalar_one()
        with closing(sqlite3.connect(file_of(url), isolation_level=None)) as other:
            other.execute("UPDATE tallies SET value = value")
            other.execute("INSERT INTO tallies VALUES ('rows', 99, 1)")
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        assert session.execute(text("SELECT value FROM tallies WHERE slot = 99")).scalar_one() == 1


def test_while_the_wal_is_short_nobody_waits_for_the_checkpoint_of_another_process(
    url: str, database: Database
) -> None:
    with database.transaction() as session:
        session.execute(text("CREATE TABLE filler (data BLOB)"))

    def checkpoint() -> None:
        with closing(sqlite3.connect(file_of(url), isolation_level=None)) as other:
            # Waits for the reader, and lets nobody else checkpoint meanwhile.
            other.execute("PRAGMA busy_timeout = 60000")
            while other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                pass  # The other connection had the lock of checkpoints.

    with (
        closing(sqlite3.connect(file_of(url), isolation_level=None)) as reader,
        closing(sqlite3.connect(file_of(url), isolation_level=None)) as mine,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM filler").fetchall()
        mine.execute("INSERT INTO filler VALUES (zeroblob(1000))")
        other = threading.Thread(target=checkpoint)
        other.start()
        until(lambda: mine.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[0] == 1, "nobody else checkpoints")
        statements: list[str] = []
        mine.set_trace_callback(statements.append)
        assert not sqlite_file._checkpoint(mine, 0.02, waits=False)
        assert not any("TRUNCATE" in statement for statement in statements)
        reader.execute("COMMIT")
        other.join()
    assert wal_bytes(url) == 0


def with_decisions(database: Database) -> Stored:
    """Store a job of 5 MB."""
    stored = Stored(database)
    stored.finish()
    fill = text("INSERT INTO decisions VALUES (:key, :run, 9, zeroblob(500000))")
    with database.transaction() as session:
        session.execute(fill, [{"key": stored.job.key, "run": run} for run in range(10)])
    return stored


def test_the_space_of_a_deleted_job_returns_to_the_disk(url: str, database: Database) -> None:
    before = file_of(url).stat().st_size
    stored = with_decisions(database)
    database.shorten_journal()
    full = file_of(url).stat().st_size
    assert full > before + (1 << 20)
    with database.transaction() as session:
        lifecycle.remove(session, stored.id, ANYBODY)
    Upkeep(database, 1.0).once()
    assert wal_bytes(url) == 0
    # Some free pages stay for the next rows.
    assert file_of(url).stat().st_size < before + (full - before) // 2


def test_while_a_shard_trains_free_space_stays_for_its_rows(url: str, database: Database) -> None:
    stored, training = with_decisions(database), Stored(database)
    training.store(0, 1)
    with database.transaction() as session:
        lifecycle.remove(session, stored.id, ANYBODY)
    Upkeep(database, 1.0).once()
    database.shorten_journal()
    with database.snapshot() as session:
        assert session.execute(text("PRAGMA freelist_count")).scalar_one() > sqlite_file.FEWEST_FREE_PAGES


def test_a_file_of_an_older_version_is_rebuilt_by_vacuum(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(file_of(url), isolation_level=None)) as older:
        older.execute("PRAGMA auto_vacuum = NONE")
        older.execute("VACUUM")
        older.execute("CREATE TABLE filler (data BLOB)")
        older.execute("INSERT INTO filler VALUES (zeroblob(5000000))")
        older.execute("DROP TABLE filler")
    monkeypatch.setenv("RAVINE_DATABASE_URL", url)
    from service.settings import get_settings

    get_settings.cache_clear()
    try:
        assert "run `ravine vacuum` once" in CliRunner().invoke(app, ["migrate"]).output
        done = CliRunner().invoke(app, ["vacuum"])
        assert done.exit_code == 0, done.output
        assert "has 0 MiB" in done.output
        assert "vacuum" not in CliRunner().invoke(app, ["migrate"]).output
    finally:
        get_settings.cache_clear()
    with closing(Database(url)) as database, database.snapshot() as session:
        assert database.dialect.gives_back(session)
