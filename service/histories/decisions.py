"""Storage of decision maps: the output of a network on a grid of points of the plane."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from service.database.tables import Decision, Job
from service.errors import NotFound
from service.spec.problems.playground import GRID_REACH, GRID_SIDE

# float16 has three digits, more than a picture shows. A sweep of many runs stores one grid per run.
KEPT = np.dtype("<f2")


def write_decisions(
    session: Session, job_key: int, epoch: int, index_R: NDArray[np.int64], values_RYX: NDArray[np.float32]
) -> None:
    """Store the grids of runs that trained to their last epoch."""
    rows = [
        {"job_key": job_key, "run_index": index, "epoch": epoch, "data": values.astype(KEPT).tobytes()}
        for index, values in zip(index_R.tolist(), values_RYX, strict=True)
    ]
    if rows:
        session.execute(insert(Decision), rows)


def decision_of(session: Session, job: Job, index: int) -> dict[str, Any]:
    """Read a run's grid: ``{"epoch", "x": […], "y": […], "values": [[…], …]}``, one list of values for each y.

    Raises:
        NotFound: The run has no grid.
    """
    kept = session.execute(
        select(Decision.epoch, Decision.data).where(Decision.job_key == job.key, Decision.run_index == index)
    ).one_or_none()
    if kept is None:
        raise NotFound("this run has no decision values: only runs of a playground have them, after their last epoch")
    axis = np.linspace(-GRID_REACH, GRID_REACH, GRID_SIDE).tolist()
    values = np.frombuffer(kept.data, KEPT).reshape(GRID_SIDE, GRID_SIDE).astype(np.float64)
    return {"epoch": kept.epoch, "x": axis, "y": axis, "values": values.tolist()}
