"""Jobs with random histories, stored with the functions of workers, and an API that reads them."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from benchmarks.timing import Timer
from service.database.connection import Database
from service.database.migrations import migrate
from service.database.states import ShardStatus
from service.database.tables import Job
from service.jobs import lifecycle, shards
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import price
from worker.engine.stack.plan import Epoch
from worker.recorder import Recorder, pack
from worker.storing import store
from worker.training import MAX_CHUNK_ROWS

FIELDS = (
    "loss",
    "train_loss",
    "grad_norm",
    "update_norm",
    "distance_from_start",
    "distance_to_minimum",
    "lr",
    "momentum",
)
START_SECONDS = 60.0
LEASE_SECONDS = 3_600.0


@dataclass(frozen=True)
class Written:
    """A job, and the time of its rows from the arrays of the trainer to the last commit."""

    job: Job
    num_values: int
    seconds: float


def spec_of(num_runs: int, num_rows: int) -> JobSpec:
    """Give the spec of runs with this many rows each."""
    return JobSpec.model_validate(
        {
            "problem": {"kind": "surface", "name": "rosenbrock"},
            "optimizers": [{"kind": "momentum", "lr": 0.001}],
            "seeds": {"count": num_runs},
            "epochs": num_rows - 1,
        }
    )


def draw(num_rows: int, num_runs: int, fields: tuple[str, ...] = FIELDS) -> NDArray[np.float64]:
    """Draw values, [epochs, fields, runs], whose decimal texts are long."""
    return np.random.default_rng(0).random((num_rows, len(fields), num_runs))


def write(
    database: Database,
    values_EFR: NDArray[np.float64],
    fields: tuple[str, ...] = FIELDS,
    *,
    spec: JobSpec | None = None,
    owner: str = "",
) -> Written:
    """Store the histories of one job as a worker does: with a recorder, chunks, checkpoints and the end."""
    num_epochs, _, num_runs = values_EFR.shape
    spec = spec or spec_of(num_runs, num_epochs)
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, replace(price(spec), shard_runs=num_runs), owner=owner)
        claim = shards.claim(session, job.key, 0, lease_seconds=LEASE_SECONDS, receipt={})
    assert claim is not None
    settings = Settings(database_url=str(database.url))
    kept_R, measured_FR = np.ones(num_runs, dtype=bool), np.ones(values_EFR.shape[1:], dtype=bool)
    diverged_R, parameters = np.zeros(num_runs, dtype=bool), np.zeros((2, num_runs))

    def keep(progress: shards.Chunk, *, ended: bool) -> None:
        def change(session: Session) -> None:
            shards.record(session, claim, progress, lease_seconds=LEASE_SECONDS)
            if ended:
                shards.end(session, claim, ShardStatus.COMPLETED)

        store(database, settings, claim, progress, change)

    with Timer() as timer:
        recorder = Recorder(fields, 0, num_runs, spec.epochs)
        for number, values_FR in enumerate(values_EFR):
            recorder.add(Epoch(number, diverged_R, kept_R, values_FR, measured_FR))
            if recorder.num_rows >= MAX_CHUNK_ROWS and number < spec.epochs:
                checkpoint = pack({"parameters": parameters, "epoch": np.array(number), **recorder.arrays()})
                keep(recorder.take(checkpoint), ended=False)
        keep(recorder.take(None, ended=True), ended=True)
    return Written(job, values_EFR.size, timer.seconds)


def databases() -> dict[str, AbstractContextManager[Database]]:
    """Give an empty database of each kind, by name."""
    return {"SQLite": sqlite(), "PostgreSQL": postgresql()}


@contextmanager
def sqlite() -> Iterator[Database]:
    """Create a database in a temporary file."""
    with tempfile.TemporaryDirectory(prefix="ravine-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'ravine.db'}"
        migrate(url)
        with closing(Database(url)) as database:
            yield database


@contextmanager
def postgresql() -> Iterator[Database]:
    """Create a database on a new server."""
    from tests.postgres import Postgres

    server = Postgres()
    try:
        url = server.create_database()
        migrate(url)
        with closing(Database(url)) as database:
            yield database
    finally:
        server.stop()


@contextmanager
def api(database: Database) -> Iterator[tuple[httpx.Client, int]]:
    """Start one API process on a database, without broker and workers; give a client and the process id."""
    with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryFile() as log:
        fd, port = listener.fileno(), listener.getsockname()[1]
        env = {**os.environ, "RAVINE_DATABASE_URL": str(database.url), "RAVINE_BROKER_URL": "redis+socket:///nowhere"}
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.constant", str(fd)], env=env, pass_fds=[fd], stdout=log, stderr=log
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_SECONDS, trust_env=False) as client:
                # The socket is open already, so the request waits until the API runs.
                client.get("/healthz").raise_for_status()
                yield client, process.pid
        finally:
            process.terminate()
            process.wait()
