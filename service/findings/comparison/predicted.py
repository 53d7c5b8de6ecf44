"""Theory of the runs that are compared, at the minima that they have reached."""

from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from service.database.datasets import known_minima
from service.database.tables import Job
from service.findings.theory import MAX_SETTINGS, Reached, job_theory
from service.histories import reading
from service.spec.job import JobSpec
from service.spec.models import Linear
from service.spec.price import price
from service.spec.problems import Data, Quadratic, Surface
from service.spec.runs import Runs

# Rows that are read to measure rates; beyond, only the last row of each setting is read.
MAX_ROWS = 100_000


def theory_of(session: Session, job: Job, spec: JobSpec) -> dict[str, Any] | None:
    """Give the theory of a job's settings beside what the first run of each has reached; None for networks."""
    known = None
    if isinstance(spec.problem, Data) and isinstance(spec.problem.model, Linear):
        known = known_minima.find(session, spec.problem)
    elif not isinstance(spec.problem, Surface | Quadratic):
        return None
    runs = Runs(spec)
    num = min(runs.num_settings, MAX_SETTINGS)
    cost = price(spec)
    whole = cost.rows_total // cost.runs_total * num <= MAX_ROWS
    fields = "loss,position" if "position" in spec.problem.fields else "loss"
    selection = reading.select_fields(spec, fields, from_epoch=0 if whole else spec.epochs)
    firsts = [runs.first_run(number) for number in range(num)]
    reached = []
    for history in reading.histories(session, job, firsts, selection):
        reached.append(_reached(spec.problem, history))
    return job_theory(spec, reached, known)


def _reached(problem: Surface | Quadratic | Data, history: dict[str, Any]) -> Reached:
    """Give a history on the landscape where it was drawn: a moved landscape moves the positions the other way."""
    # SQLite gives NaN as a word, which float() reads.
    losses = [float("nan") if loss is None else float(loss) for loss in history["loss"]]
    epochs, path = history["epoch"], None
    if "position" in history:
        path = np.array(history["position"], dtype=np.float64)
    shift_at, shift = (None, None) if isinstance(problem, Data) else (problem.shift_at, problem.shift_by)
    if shift_at is None or shift is None or epochs[-1] < shift_at:
        shift = None
    else:
        # The losses before the move belong to another minimum.
        first = next(at for at, epoch in enumerate(epochs) if epoch >= shift_at)
        epochs, losses = epochs[first:], losses[first:]
        path = None if path is None else path[first:] - np.array(shift)
    if path is None or not np.isfinite(path[-1]).all():
        return Reached(history["index"], epochs, losses, shift=shift)
    return Reached(history["index"], epochs, losses, path[-1].tolist(), path.tolist(), shift)
