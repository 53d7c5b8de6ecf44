"""The kept weights of small networks: which epochs, and whole after an interruption or absent."""

import numpy as np
import pytest

from service.spec.job import JobSpec
from service.spec.snapshots import MOST_NUMBERS, snapshot_bytes, snapshot_epochs
from worker.snapshots import Snapshots

EPOCHS = (0, 2, 4)


def spec(epochs: int, seeds: int = 1, **problem: object) -> JobSpec:
    return JobSpec.model_validate(
        {
            "problem": {"kind": "playground", **problem},
            "optimizers": [{"kind": "sgd", "lr": 0.1}],
            "epochs": epochs,
            "seeds": {"first": 0, "count": seeds},
        }
    )


def trained(snapshots: Snapshots, first: int, last: int) -> Snapshots:
    """Go through epochs; the weights [2 runs, 3] after each are its number."""
    for epoch in range(first, last + 1):
        snapshots.take(epoch, lambda epoch=epoch: np.full((2, 3), epoch, dtype=np.float32))
    return snapshots


def test_weights_of_a_resumed_shard_are_those_of_one_that_was_not_interrupted() -> None:
    whole = trained(Snapshots(EPOCHS), 0, 4).by_run(2)
    assert whole.shape == (2, 3, 3)
    assert whole[1, :, 0].tolist() == [0, 2, 4]
    first = trained(Snapshots(EPOCHS), 0, 3)
    assert np.array_equal(trained(Snapshots(EPOCHS, first.arrays()), 4, 4).by_run(2), whole)


def test_after_a_checkpoint_without_weights_none_are_kept() -> None:
    assert trained(Snapshots(EPOCHS, {}), 3, 4).by_run(2).size == 0


def test_at_most_61_epochs_are_kept_with_the_first_and_the_last() -> None:
    assert snapshot_epochs(spec(20)) == tuple(range(21))
    many = snapshot_epochs(spec(1_000))
    assert len(many) == 61
    assert (many[0], many[-1]) == (0, 1_000)


@pytest.mark.parametrize("problem", [{"kind": "flipnet"}, {"kind": "surface", "name": "ravine"}])
def test_other_problems_keep_none(problem: dict[str, object]) -> None:
    assert snapshot_epochs(spec(20, **problem)) == ()


@pytest.mark.slow
def test_a_large_job_keeps_none() -> None:
    one = snapshot_bytes(spec(100)) // 2
    assert snapshot_bytes(spec(100, MOST_NUMBERS // one)) > 0
    assert snapshot_bytes(spec(100, MOST_NUMBERS // one + 1)) == 0
