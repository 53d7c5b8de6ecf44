"""A shard of three runs: its claim and its chunks."""

import numpy as np

from service.database.bulk import MetricRows, Outcomes
from service.database.connection import Database
from service.jobs import shards
from service.jobs.shards import Chunk, Claim
from tests.queued import not_measured

RECEIPT = {"torch": "none"}


def claim(database: Database, job_key: int, *, lease_seconds: float = 60.0) -> Claim | None:
    with database.transaction() as session:
        return shards.claim(session, job_key, 0, lease_seconds=lease_seconds, max_seconds=60.0, receipt=RECEIPT)


def chunk(epoch: int, *, checkpoint: bytes | None = None, loss: float = 1.0) -> Chunk:
    """Three runs, one row each, at one epoch."""
    return Chunk(
        epoch=epoch,
        epochs_done=3 * epoch,
        runs_ended=0,
        runs_diverged=0,
        rows=MetricRows(
            fields=("loss", "grad_norm"),
            run_index_N=np.arange(3),
            epoch_N=np.full(3, epoch),
            values_FN=np.array([[loss, np.nan, -np.inf], [0.5, np.inf, -0.0]]),
            measured_FN=np.array([[True, True, True], [True, True, False]]),
        ),
        outcomes=Outcomes(
            index_R=np.arange(3),
            status=["running", "diverged", "diverged"],
            epochs_done_R=np.full(3, epoch),
            final_loss_R=np.array([loss, np.nan, -np.inf]),
            best_loss_R=np.array([loss, np.inf, np.inf]),
            best_epoch_R=np.array([epoch, -1, -1]),
            diverged_epoch_R=np.array([-1, epoch, epoch]),
            **not_measured(3),
        ),
        checkpoint=checkpoint,
    )


def record(database: Database, claimed: Claim, what: Chunk) -> None:
    with database.transaction() as session:
        shards.record(session, claimed, what, lease_seconds=60.0)
