"""Each revision of the tables keeps what was stored before it."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, column, insert, select, table, text

from service.database.connection import Database
from service.database.metric_rows import Metric
from service.database.migrations import migrate
from service.database.revisions import MIGRATIONS, check
from service.database.tables import Base, Job, Run, Shard
from service.jobs import lifecycle, quotas, run_states, shards
from service.jobs.owners import ANYBODY
from service.spec.job import JobSpec
from tests.conftest import DATABASES

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# Runs 0 and 1 of the first shard have been trained, the second shard waits, the third was cancelled.
SHARDS = ["completed", "queued", "cancelled"]
RUNS = [
    {"status": "completed", "epochs_done": 1, "final_loss": -0.0, "best_loss": -0.0, "best_epoch": 1},
    {"status": "diverged", "epochs_done": 1, "final_loss": 1e300, "diverged_epoch": 1},
    *[{"status": "queued", "epochs_done": 0}] * 2,
    *[{"status": "cancelled", "epochs_done": 0}] * 2,
]
LOSSES = [(0, 0, 0.1), (0, 1, -0.0), (1, 0, 1.0), (1, 1, 1e300)]


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """An empty database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.db'}"
    new_server_database: Callable[[], str] = request.getfixturevalue("postgres_server")
    return new_server_database()


def add(connection: Connection, model: type[Base], row: dict[str, Any]) -> None:
    """Insert a row with these columns only: the model has others, which later revisions add."""
    columns = [column(name, model.__table__.c[name].type) for name in row]
    connection.execute(insert(table(model.__tablename__, *columns)).values(row))


def fill(database: Database) -> int:
    """Store a job in the tables of the first revision."""
    spec = JobSpec.model_validate({"problem": {"kind": "surface", "name": "ravine"}, "epochs": 1,
                                   "optimizers": [{"kind": "sgd", "lr": 0.1}], "seeds": {"count": 6}})  # fmt: skip
    job = {"id": "018bcfe5-6800-7000-8000-000000000000", "name": "old", "name_folded": "old", "problem": "surface",
           "status": "running", "spec": spec.as_dict(), "spec_digest": spec.digest(), "runs_total": 6,
           "epochs_total": 6, "created_at": NOW, "started_at": NOW, "owner": "", "work": 1.0}  # fmt: skip
    with database.engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        add(connection, Job, job)
        key = connection.execute(select(Job.key)).scalar_one()
        for number, status in enumerate(SHARDS):
            done = int(status == "completed")
            shard = {"job_key": key, "number": number, "first_run": 2 * number, "num_runs": 2, "queue": "interactive",
                     "status": status, "attempt": done, "epoch": done, "epochs_done": 2 * done, "runs_diverged": done,
                     "runs_ended": 0 if status == "queued" else 2}  # fmt: skip
            add(connection, Shard, {**shard, "lost": 0})
        for index, run in enumerate(RUNS):
            add(connection, Run, {"job_key": key, "index": index, **run})
        for run_index, epoch, loss in LOSSES:
            add(connection, Metric, {"job_key": key, "run_index": run_index, "epoch": epoch, "loss": loss})
        connection.commit()
    return int(key)


def test_the_second_revision_keeps_jobs_runs_and_rows_and_gives_them_back(url: str) -> None:
    migrate(url, "0001")
    with closing(Database(url)) as database:
        key = fill(database)
    migrate(url)
    with closing(Database(url)) as database:
        check(database)
        with database.snapshot() as session:
            job = session.get_one(Job, key)
            runs = run_states.read(session, job, range(6))
            assert [str(run.status) for run in runs] == [run["status"] for run in RUNS]
            assert [(repr(run.final_loss), run.loss_area, run.history_digest) for run in runs[:2]] == [
                ("-0.0", None, None),
                ("1e+300", None, None),
            ]
            rows = session.execute(text("SELECT run_index, epoch, loss, r2 FROM metrics ORDER BY run_index, epoch"))
            assert [(run, epoch, repr(loss)) for run, epoch, loss, r2 in rows if r2 is None] == [
                (run, epoch, repr(loss)) for run, epoch, loss in LOSSES
            ]
            assert len(list(session.execute(select(Job.note)))) == 1
            # Quotas count what was stored before: four rows.
            stored = quotas.stored(session, "")
            assert stored.rows == len(LOSSES)
            assert stored.bytes > 8 * len(LOSSES)
            assert quotas.unwritten(session, "").rows == job.rows_total - len(LOSSES) > 0
        # Work on the job goes on, and the triggers of the first revision are still there.
        with database.transaction() as session:
            assert shards.claim(session, key, 1, lease_seconds=60, receipt={}) is not None
            assert lifecycle.cancel(session, job.id, ANYBODY).status == "cancelling"
        with pytest.raises(Exception, match="never"), database.transaction() as session:
            session.execute(text("UPDATE jobs SET status = 'queued'"))
        with database.engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.downgrade(config, "0001")
            connection.commit()
        with database.snapshot() as session:
            statuses = session.execute(text('SELECT status FROM runs ORDER BY "index"')).scalars().all()
            assert statuses == [run["status"] for run in RUNS]
            assert session.execute(text("SELECT count(*) FROM metrics")).scalar_one() == len(LOSSES)
