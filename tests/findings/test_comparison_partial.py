"""Comparisons of jobs that have not ended, on both databases."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from service.api.schemas.across import AcrossAnswer
from service.api.schemas.comparison import ComparisonAnswer
from service.database.bulk import MetricRows, Outcomes
from service.database.connection import Database
from service.database.states import ShardStatus
from service.database.tables import Job, Run
from service.errors import Rejected
from service.findings.comparison.across import compare_across
from service.findings.comparison.job import compare
from service.jobs import shards
from service.jobs.shards import Chunk
from tests.queued import create, not_measured
from worker.recorder import Recorder


def compared(database: Database, key: int) -> dict[str, Any]:
    with database.snapshot() as session:
        found = compare(session, session.get_one(Job, key), tuned=False)
    ComparisonAnswer.model_validate(found)
    return found


def test_a_queued_job_has_nothing_to_compare_and_says_so(database: Database) -> None:
    found = compared(database, create(database))
    assert found["partial"] is True
    assert [warning["code"] for warning in found["warnings"]] == ["no_rows"]
    assert found["verdict"] == "No run has recorded anything yet."
    assert {setting["runs"] for label in found["labels"] for setting in label["settings"]} == {0}


def test_a_job_that_ended_before_its_first_row_has_nothing_to_compare_either(database: Database) -> None:
    key = create(database)
    with database.transaction() as session:
        claimed = shards.claim(session, key, 0, lease_seconds=60, receipt={})
        assert claimed is not None
        nothing = Recorder(("loss",), 0, 3, 4).take(None)
        shards.record(session, claimed, nothing, lease_seconds=60)
        shards.end(session, claimed, ShardStatus.FAILED, reason="timeout", detail="over")
        assert set(session.execute(select(Run.final_loss, Run.status)).all()) == {(None, "failed")}
    found = compared(database, key)
    assert [warning["code"] for warning in found["warnings"]] == ["no_rows"]
    assert found["verdict"] == "No run has recorded anything yet."


def test_a_running_job_is_compared_by_its_rows_so_far(database: Database) -> None:
    key = create(database)
    with database.transaction() as session:
        claimed = shards.claim(session, key, 0, lease_seconds=60, receipt={})
        assert claimed is not None
        # Three runs: one converges, one has become NaN, one has become −Infinity.
        losses = np.array([[1.0, 1.0, 1.0], [0.5, np.nan, -np.inf]])
        rows = MetricRows(
            fields=("loss",),
            run_index_N=np.repeat(np.arange(3), 2),
            epoch_N=np.tile([0, 1], 3),
            values_FN=losses.T.reshape(1, -1),
            measured_FN=np.ones((1, 6), dtype=bool),
        )
        outcomes = Outcomes(
            index_R=np.arange(3),
            status=["running", "diverged", "diverged"],
            epochs_done_R=np.ones(3, dtype=np.int64),
            final_loss_R=losses[1],
            best_loss_R=np.array([0.5, 1.0, 1.0]),
            best_epoch_R=np.array([1, 0, 0]),
            diverged_epoch_R=np.array([-1, 1, 1]),
            **not_measured(3),
        )
        shards.record(session, claimed, Chunk(1, 3, 2, 2, rows, outcomes, None), lease_seconds=60)
    found = compared(database, key)
    assert found["partial"] is True
    assert {"partial", "few_seeds"} <= {warning["code"] for warning in found["warnings"]}
    first, second, third = found["labels"][0]["settings"]
    assert (first["diverged"], second["diverged"], third["diverged"]) == (0, 1, 1)
    assert first["final_loss"]["median"]["value"] == 0.5
    assert first["loss_area"]["median"]["value"] == 0.75
    assert second["final_loss"]["median"]["value"] == third["final_loss"]["median"]["value"] == np.inf
    assert found["best"] == [rank["label"] for rank in found["ranks"]]
    assert {(rank["low"], rank["high"]) for rank in found["ranks"]} == {(1, 3)}
    assert found["verdict"].startswith("So far ")


def test_across_jobs_a_running_job_counts_by_its_rows_and_nothing_is_claimed(database: Database) -> None:
    optimizers = [{"label": "slow", "kind": "sgd", "lr": 0.1}, {"label": "fast", "kind": "sgd", "lr": 0.2}]
    key = create(database, optimizers=optimizers, seeds=[0], target_loss=0.6)
    with database.snapshot() as session, pytest.raises(Rejected, match="nothing recorded of fast or slow yet"):
        compare_across(session, [session.get_one(Job, key)], None)
    with database.transaction() as session:
        claimed = shards.claim(session, key, 0, lease_seconds=60, receipt={})
        assert claimed is not None
        losses = np.array([[1.0, 1.0], [0.8, 0.5]])
        rows = MetricRows(
            fields=("loss",),
            run_index_N=np.repeat(np.arange(2), 2),
            epoch_N=np.tile([0, 1], 2),
            values_FN=losses.T.reshape(1, -1),
            measured_FN=np.ones((1, 4), dtype=bool),
        )
        outcomes = Outcomes(
            index_R=np.arange(2),
            status=["running", "running"],
            epochs_done_R=np.ones(2, dtype=np.int64),
            final_loss_R=losses[1],
            best_loss_R=losses[1],
            best_epoch_R=np.array([1, 1]),
            diverged_epoch_R=np.array([-1, -1]),
            **not_measured(2),
        )
        shards.record(session, claimed, Chunk(1, 2, 2, 2, rows, outcomes, None), lease_seconds=60)
    with database.snapshot() as session:
        found = compare_across(session, [session.get_one(Job, key)], None)
    AcrossAnswer.model_validate(found)
    assert found["partial"] is True
    assert found["verdict"] == "So far fast needed fewest epochs on 1 of 1; runs are still missing."
    assert found["problems"][0]["labels"][0] == {"label": "fast", "epochs": 1.0, "solved": 1.0}
    assert "partial" in {warning["code"] for warning in found["warnings"]}
