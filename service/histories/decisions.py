"""Decision maps: the output of a network on a grid of points of the plane, and its weights at some epochs."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from service.database.tables import Checkpoint, Decision, Job, Shard
from service.errors import NotFound
from service.spec.job import JobSpec
from service.spec.problems.playground import GRID_REACH, GRID_SIDE, Playground
from service.spec.snapshots import SNAPSHOTS, snapshot_epochs

# float16 has three digits, more than a picture shows. A sweep of many runs stores one grid per run.
KEPT = np.dtype("<f2")
_GRID = GRID_SIDE * GRID_SIDE
_NONE = "this run has no decision values: only runs of a playground have them, after their last epoch"


def write_decisions(
    session: Session,
    job_key: int,
    epoch: int,
    index_R: NDArray[np.int64],
    values_RYX: NDArray[np.float32],
    weights_RED: NDArray[np.float16],
) -> None:
    """Store the grids of runs that trained to their last epoch, and behind each the run's weights, epoch by epoch."""
    rows = [
        {"job_key": job_key, "run_index": index, "epoch": epoch, "data": _bytes(values) + _bytes(weights)}
        for index, values, weights in zip(index_R.tolist(), values_RYX, weights_RED, strict=True)
    ]
    if rows:
        session.execute(insert(Decision), rows)


def decision_of(session: Session, job: Job, index: int) -> dict[str, Any]:
    """Read a run's grid: ``{"epoch", "x": […], "y": […], "values": [[…], …]}``, one list of values for each y.

    Raises:
        NotFound: The run has no grid.
    """
    epoch, data = _read(session, job, index)
    axis = np.linspace(-GRID_REACH, GRID_REACH, GRID_SIDE).tolist()
    values = data[:_GRID].reshape(GRID_SIDE, GRID_SIDE).astype(np.float64)
    return {"epoch": epoch, "x": axis, "y": axis, "values": values.tolist()}


def network_of(session: Session, job: Job, spec: JobSpec, index: int) -> dict[str, Any]:
    """Read a run's weights: ``{"epochs", "features", …, "weights": [[…], …]}``, one list for each epoch.

    Of a run that is trained they are those of its last checkpoint.

    Raises:
        NotFound: The run has no weights.
    """
    problem, epochs = spec.problem, snapshot_epochs(spec)
    if not isinstance(problem, Playground):
        raise NotFound(_NONE)
    weights_ED = _checkpointed(session, job, index)
    if weights_ED is None:
        weights = _read(session, job, index)[1][_GRID:]
        if not weights.size or weights.size % len(epochs):
            raise NotFound("the weights of this run are not kept: its job has too many runs")
        weights_ED = weights.reshape(len(epochs), -1)
    return {
        "epochs": epochs[: len(weights_ED)],
        "features": problem.features,
        "widths": [len(problem.features), *problem.widths, 1],
        "activation": problem.activation,
        "output": "linear" if problem.is_regression else "sigmoid",
        "weights": weights_ED.astype(np.float64).tolist(),
    }


def _checkpointed(session: Session, job: Job, index: int) -> NDArray[np.float16] | None:
    """Read a run's weights [E, D] so far, while its shard is trained."""
    found = session.execute(
        select(Shard.first_run, Checkpoint.data)
        .join(Checkpoint, (Checkpoint.job_key == Shard.job_key) & (Checkpoint.number == Shard.number))
        .where(Shard.job_key == job.key, Shard.first_run <= index, Shard.first_run + Shard.num_runs > index)
    ).one_or_none()
    if found is None:
        return None
    with np.load(io.BytesIO(found.data), allow_pickle=False) as archive:
        if SNAPSHOTS not in archive:
            return None
        weights_ED: NDArray[np.float16] = archive[SNAPSHOTS][:, index - found.first_run]
        return weights_ED


def _read(session: Session, job: Job, index: int) -> tuple[int, NDArray[np.float16]]:
    kept = session.execute(
        select(Decision.epoch, Decision.data).where(Decision.job_key == job.key, Decision.run_index == index)
    ).one_or_none()
    if kept is None:
        raise NotFound(_NONE)
    return kept.epoch, np.frombuffer(kept.data, KEPT)


def _bytes(values: NDArray[np.floating[Any]]) -> bytes:
    with np.errstate(over="ignore"):
        return values.astype(KEPT).tobytes()
