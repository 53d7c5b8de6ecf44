"""A job whose rows are stored by a test, chunk by chunk, with the functions of workers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from service.database.bulk import MetricRows, Outcomes
from service.database.connection import Database
from service.database.states import RunStatus, ShardStatus
from service.jobs import lifecycle, shards
from service.jobs.shards import Chunk, Claim
from service.spec.job import JobSpec
from service.spec.price import price
from tests.queued import not_measured

SPEC: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"label": "a", "kind": "sgd", "lr": 0.01}, {"label": "b", "kind": "sgd", "lr": 0.02}],
    "seeds": {"count": 3},
    "epochs": 9,
}
LEASE_SECONDS = 3_600.0


def plain(run: int, epoch: int) -> float:
    """A value that is unique to a row."""
    return run + epoch / 1_000


class Stored:
    """A job with shards of a few runs, all claimed by the test."""

    def __init__(
        self,
        database: Database,
        *,
        shard_runs: int = 2,
        loss: Callable[[int, int], float | None] = plain,
        owner: str = "",
        **changes: Any,
    ) -> None:
        self._database, self._loss = database, loss
        self.spec = JobSpec.model_validate({**SPEC, **changes})
        cost = replace(price(self.spec), shard_runs=shard_runs)
        with database.transaction() as session:
            self.job, _ = lifecycle.create(session, self.spec, cost, owner=owner)
            # In the transaction that creates the job, so that no worker of a stack on this database can claim a shard.
            self.claims: list[Claim] = []
            for number in range(len(cost.shards())):
                claim = shards.claim(session, self.job.key, number, lease_seconds=LEASE_SECONDS, receipt={})
                assert claim is not None
                self.claims.append(claim)
        self.stored = [0] * len(self.claims)

    @property
    def id(self) -> str:
        return self.job.id

    def store(self, shard: int, num_epochs: int) -> None:
        """Store the next epochs of a shard, with the fields loss and momentum."""
        claim, first = self.claims[shard], self.stored[shard]
        end = min(first + num_epochs, self.spec.epochs + 1)
        runs = range(claim.first_run, claim.first_run + claim.num_runs)
        keys = [(run, epoch) for run in runs for epoch in range(first, end)]
        values = [self._loss(run, epoch) for run, epoch in keys]
        rows = MetricRows(
            fields=("loss", "momentum"),
            run_index_N=np.array([run for run, _ in keys], dtype=np.int64),
            epoch_N=np.array([epoch for _, epoch in keys], dtype=np.int64),
            values_FN=np.array([[0.0 if value is None else value for value in values], [0.9] * len(keys)]),
            measured_FN=np.array([[value is not None for value in values], [False] * len(keys)]),
        )
        with self._database.transaction() as session:
            progress = Chunk(end - 1, claim.num_runs * (end - 1), 0, 0, rows, self._outcomes(claim, end - 1), None)
            shards.record(session, claim, progress, lease_seconds=LEASE_SECONDS)
        self.stored[shard] = end

    def end(self, shard: int) -> None:
        """End a shard, and the job with its last one."""
        with self._database.transaction() as session:
            shards.end(session, self.claims[shard], ShardStatus.COMPLETED)

    def finish(self) -> None:
        """Store all remaining rows, and end the job."""
        for shard in range(len(self.claims)):
            if self.stored[shard] <= self.spec.epochs:
                self.store(shard, self.spec.epochs + 1)
            self.end(shard)

    def rows(self) -> list[tuple[int, int]]:
        """List the (run, epoch) of all rows of the finished job."""
        runs = sum(claim.num_runs for claim in self.claims)
        return [(run, epoch) for run in range(runs) for epoch in range(self.spec.epochs + 1)]

    @staticmethod
    def _outcomes(claim: Claim, epoch: int) -> Outcomes:
        num = claim.num_runs
        return Outcomes(
            index_R=claim.first_run + np.arange(num),
            status=[RunStatus.RUNNING] * num,
            epochs_done_R=np.full(num, epoch),
            final_loss_R=np.zeros(num),
            best_loss_R=np.zeros(num),
            best_epoch_R=np.zeros(num, dtype=np.int64),
            diverged_epoch_R=np.full(num, -1),
            **not_measured(num),
        )
