"""Migrations with data in the tables, and several processes that start at once, on both databases."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import func, inspect, select

from service.database.connection import Database
from service.database.metadata import METADATA
from service.database.metric_rows import Metric
from service.database.migrations import migrate
from service.database.revisions import MIGRATIONS, check
from service.database.tables import Job
from service.jobs import lifecycle
from service.jobs.shards import claim
from service.spec.job import JobSpec
from service.spec.price import price
from tests.api.test_jobs import SPEC
from tests.conftest import DATABASES
from tests.database.test_storage_faults import job_with_rows

NUM_PROCESSES = 3
# Not `ravine migrate`, whose start takes longer than its work: they would come one after another.
PROGRAM = """
import sys
from service.database.migrations import migrate
print("ready", flush=True)
sys.stdin.readline()
migrate(sys.argv[1])
"""


def test_migrations_go_down_and_up_with_data_in_the_tables(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        job = job_with_rows(database, num_rows=10, value=1.0)
        with database.transaction() as session:
            assert claim(session, job.key, 0, lease_seconds=60, receipt={"torch": "none"}) is not None
        with database.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.downgrade(config, "base")
            connection.commit()
        assert not set(inspect(database.engine).get_table_names()) & set(METADATA.tables)
    migrate(database_url)
    with closing(Database(database_url)) as database:
        check(database)
        job_with_rows(database, num_rows=10, value=1.0)
        with database.snapshot() as session:
            assert session.execute(select(func.count()).select_from(Job)).scalar_one() == 1


def test_migrating_again_keeps_the_data(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        job_with_rows(database, num_rows=10, value=1.0)
        migrate(database_url)
        with database.snapshot() as session:
            assert session.execute(select(func.count()).select_from(Metric)).scalar_one() == 10


@pytest.mark.slow
@pytest.mark.parametrize("kind", DATABASES)
def test_processes_that_start_at_once_make_the_tables_once(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    if kind == "postgresql":
        new_server_database: Callable[[], str] = request.getfixturevalue("postgres_server")
        url = new_server_database()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, cwd=MIGRATIONS.parent,
        )
        for _ in range(NUM_PROCESSES)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
    with closing(Database(url)) as database:
        check(database)
        with database.transaction() as session:
            lifecycle.create(session, JobSpec.model_validate(SPEC), price(JobSpec.model_validate(SPEC)))
