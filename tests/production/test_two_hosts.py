"""A worker on another host trains on an uploaded dataset, which it reads from PostgreSQL once."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from service.cli.local.commands import BATCH, worker_command
from service.cli.local.console import Console
from service.cli.local.supervisor import Supervisor
from service.database.connection import Database
from service.database.tables import Job, Run
from tests.hosts import forwarded, host, why_not
from tests.postgres import Postgres
from tests.servers import Broker, Stack, wait_for_job

MODEL = {"kind": "mlp", "widths": [6]}


def houses() -> bytes:
    """A table of 3 MB, which is stored in several chunks."""
    lines = (f"{at % 997 / 997},{at % 13},{'ABC'[at % 3]},{at % 89 / 89 + at % 13}" for at in range(120_000))
    return "\n".join(["area,rooms,city,price", *lines, ""]).encode()


def job_of(dataset: str) -> dict[str, object]:
    problem = {"kind": "data", "dataset": dataset, "target": "price", "model": MODEL, "train_size": 400}
    return {"problem": problem, "optimizers": [{"kind": "adam", "lr": [0.01, 0.03]}], "seeds": [0, 1], "epochs": 2}


def digests(database: Database, job_id: str) -> list[object]:
    """The digests of the histories of all runs."""
    with database.snapshot() as session:
        query = select(Run.history_digest).join(Job, Job.key == Run.job_key).where(Job.id == job_id)
        return list(session.execute(query.order_by(Run.index)).scalars())


def folder_of(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path


@pytest.mark.slow
def test_a_worker_on_another_host_trains_on_an_uploaded_dataset(
    new_database: Callable[[str], str],
    open_database: Callable[[str], Database],
    postgres: Postgres,
    broker: Broker,
    tmp_path: Path,
) -> None:
    if (reason := why_not()) is not None:
        pytest.skip(f"a second host needs a network namespace: {reason}")
    url, broker_url = new_database("postgresql"), broker.new_url()
    database, name = open_database(url), make_url(url).database

    def to_postgres() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(Path(postgres.socket_dir, ".s.PGSQL.5432")))
        return connection

    first, second = folder_of(tmp_path / "first"), folder_of(tmp_path / "second")
    api = Stack(url, broker_url, tmp_path, batch_workers={}, env={"RAVINE_DATASET_FOLDER": str(first)})
    with (
        host() as other,
        forwarded(other.first_address, to_postgres) as database_port,
        forwarded(other.first_address, lambda: socket.create_connection(("127.0.0.1", broker.port))) as broker_port,
        api,
        api.client() as client,
    ):
        assert f"rvt{other.namespace.partition('-')[2]}" in other.run("ip", "-br", "link")
        path = broker_url.rpartition("/")[2]
        env = {
            "RAVINE_DATABASE_URL": f"postgresql+psycopg://postgres@{other.first_address}:{database_port}/{name}",
            "RAVINE_BROKER_URL": f"redis://{other.first_address}:{broker_port}/{path}",
            "RAVINE_DATASET_FOLDER": str(second),
        }
        supervisor = Supervisor(tmp_path, Console())
        supervisor.run("far", other.command(worker_command("far", BATCH, 1)), env=env)
        try:
            made = client.post("/v1/datasets?name=houses", content=houses(), headers={"Content-Type": "text/csv"})
            assert made.status_code == 201, made.text
            assert [*first.iterdir()], "the API has decoded the table"
            ids = []
            for _ in range(2):
                ids.append(client.post("/v1/jobs", json=job_of(made.json()["id"])).raise_for_status().json()["id"])
                assert wait_for_job(client, ids[-1])["status"] == "completed"
        finally:
            supervisor.stop()
    # Each host has decoded the content once, and both have the same table.
    assert [(one.name, one.read_bytes()) for one in second.iterdir()] == [
        (one.name, one.read_bytes()) for one in first.iterdir()
    ]
    assert digests(database, ids[0]) == digests(database, ids[1])
    assert len(set(digests(database, ids[0]))) == 4
