"""The epochs after which the weights of small networks are kept, for drawings of their units."""

import numpy as np

from service.spec.job import JobSpec
from service.spec.problems.playground import Playground
from service.spec.runs import Runs

# The array of a checkpoint [E, R, D] that has them so far, beside those of the trainer.
SNAPSHOTS = "snapshots.weights_ERD"
MOST_EPOCHS = 60
# Numbers of a job, two bytes each; a job with more keeps no weights.
MOST_NUMBERS = 2_000_000


def snapshot_epochs(spec: JobSpec) -> tuple[int, ...]:
    """Epochs from 0 to the last, evenly spaced; none where the problem is no playground or the job is too large."""
    if not isinstance(spec.problem, Playground):
        return ()
    places = np.linspace(0, spec.epochs, min(spec.epochs, MOST_EPOCHS) + 1).round().astype(np.int64)
    if len(Runs(spec)) * spec.problem.num_parameters * len(places) > MOST_NUMBERS:
        return ()
    return tuple(places.tolist())


def snapshot_bytes(spec: JobSpec) -> int:
    """Bytes of the kept weights of a run."""
    return 2 * spec.problem.num_parameters * len(snapshot_epochs(spec))
