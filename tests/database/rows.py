"""Jobs with a few metric rows."""

from typing import Any

import numpy as np

from service.database.bulk import MetricRows
from service.database.connection import Database
from service.database.tables import Job, Run
from service.database.writing import stage, write_rows
from service.jobs import lifecycle
from service.spec.job import JobSpec
from service.spec.price import price

SPEC: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": 0.1}],
    "seeds": {"count": 3},
    "epochs": 9,
}
LOSSES = {run: [run + epoch / 10 for epoch in range(10)] for run in range(3)}


def create(database: Database, **changes: Any) -> Job:
    spec = JobSpec.model_validate({**SPEC, **changes})
    with database.transaction() as session:
        return lifecycle.create(session, spec, price(spec))[0]


def rows_of(run: int, losses: list[float | None], *, first_epoch: int = 0) -> MetricRows:
    """Rows of one run with a loss each; None was not measured, and neither was any accuracy."""
    num = len(losses)
    return MetricRows(
        fields=("loss", "accuracy"),
        run_index_N=np.full(num, run),
        epoch_N=np.arange(first_epoch, first_epoch + num),
        values_FN=np.array([[7.0 if loss is None else loss for loss in losses], [7.0] * num]),
        measured_FN=np.array([[loss is not None for loss in losses], [False] * num]),
    )


def write(database: Database, job: Job, rows: MetricRows, *, staged: bool = False) -> None:
    with database.transaction(lambda connection: stage(connection, job.key, rows if staged else None)) as session:
        write_rows(session, job.key, rows)


def three_runs(database: Database) -> Job:
    """Create a job of three runs with ten rows each."""
    job = create(database)
    for run, losses in LOSSES.items():
        write(database, job, rows_of(run, list(losses)))
    with database.transaction() as session:
        session.add_all(Run(job_key=job.key, index=run, status="running", epochs_done=9) for run in LOSSES)
    return job
