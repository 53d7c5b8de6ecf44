"""What does theory say of the runs that are compared, at the minima that they have reached?"""

from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from service.database.tables import Job
from service.findings.theory import MAX_SETTINGS, Reached, job_theory
from service.histories import reading
from service.spec.job import JobSpec
from service.spec.price import price
from service.spec.problems import Quadratic, Surface
from service.spec.runs import Runs

# Rows that are read to measure rates; beyond, only the last row of each setting says where it has arrived.
MAX_ROWS = 100_000


def theory_of(session: Session, job: Job, spec: JobSpec) -> dict[str, Any] | None:
    """Give the theory of a job's settings beside what the first run of each has reached; None for networks."""
    if not isinstance(spec.problem, Surface | Quadratic):
        return None
    runs = Runs(spec)
    num = min(len(runs) // runs.per_setting, MAX_SETTINGS)
    cost = price(spec)
    whole = cost.rows_total // cost.runs_total * num <= MAX_ROWS
    fields = "loss,position" if "position" in spec.problem.fields else "loss"
    selection = reading.select_fields(spec, fields, from_epoch=0 if whole else spec.epochs)
    firsts = [number * runs.per_setting for number in range(num)]
    reached = []
    for history in reading.histories(session, job, firsts, selection):
        # SQLite gives NaN as a word, which float() reads.
        losses = [float("nan") if loss is None else float(loss) for loss in history["loss"]]
        end = np.array(history["position"][-1], dtype=np.float64) if "position" in history else np.array([np.nan])
        shift_at, shift_by = spec.problem.shift_at, spec.problem.shift_by
        if shift_at is not None and shift_by is not None and history["epoch"][-1] >= shift_at:
            # Theory knows the landscape where it was drawn.
            end = end - np.array(shift_by)
        position = end.tolist() if np.isfinite(end).all() else None
        reached.append(Reached(history["index"], history["epoch"], losses, position))
    return job_theory(spec, reached)
