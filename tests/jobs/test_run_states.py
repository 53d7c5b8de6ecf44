"""Runs whose shard has stored nothing yet: they have no rows, and are listed, found and filtered like all others."""

from dataclasses import replace

import numpy as np
import pytest

from service.database.bulk import Outcomes
from service.database.connection import Database
from service.database.states import ShardStatus
from service.database.tables import Job, Run
from service.database.writing import write_outcomes
from service.jobs import lifecycle, run_states, shards
from service.jobs.owners import ANYBODY
from service.spec.job import JobSpec
from service.spec.price import price
from tests.queued import count, create, not_measured, statuses

SPEC = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": {"from": 0.01, "to": 0.02, "num": 12}}],
    "epochs": 3,
}


@pytest.fixture
def job(database: Database) -> Job:
    """A job of 12 runs in four shards: trained, running, queued and failed before its first chunk."""
    spec = JobSpec.model_validate(SPEC)
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, replace(price(spec), shard_runs=3))
        claims = [shards.claim(session, job.key, number, lease_seconds=60, receipt={}) for number in (0, 1, 3)]
        trained, running, failed = (claim for claim in claims if claim is not None)
        # Losses 5, none, 4 and 1, 3, 2.
        loss = np.array([5.0, np.nan, 4.0, 1.0, 3.0, 2.0])
        for claim in (trained, running):
            inside = slice(claim.first_run, claim.first_run + 3)
            outcomes = Outcomes(
                index_R=np.arange(6)[inside],
                status=["running"] * 3,
                epochs_done_R=np.full(3, 1),
                final_loss_R=loss[inside],
                best_loss_R=loss[inside],
                best_epoch_R=np.where(np.isnan(loss[inside]), -1, 1),
                diverged_epoch_R=np.full(3, -1),
                **not_measured(3),
            )
            write_outcomes(session, job.key, outcomes)
        shards.end(session, trained, ShardStatus.COMPLETED)
        shards.end(session, failed, ShardStatus.FAILED, reason="error", detail="it could not be trained")
    return job


def listed(database: Database, job: Job, **query: object) -> list[int]:
    """List indices page by page, in pages of every size, which must agree with the list of all indices."""
    chosen = {"ranges": None, "status": None, "sort": "index", **query}
    with database.snapshot() as session:
        whole = run_states.run_indices(session, job, **chosen).tolist()
        for limit in (1, 2, 5, 100):
            found: list[int] = []
            while True:
                after = len(found) if chosen["sort"] != "index" else found[-1] + 1 if found else 0
                page = run_states.list_runs(session, job, after=after, limit=limit, **chosen)
                found += [run.index for run in page]
                if len(page) < limit:
                    break
            assert found == whole
    return whole


@pytest.mark.slow(after=1)
def test_runs_without_rows_are_listed_with_the_others(database: Database, job: Job) -> None:
    assert count(database, Run) == 6
    assert listed(database, job) == list(range(12))
    assert statuses(database, job.key) == ["completed"] * 3 + ["running"] * 3 + ["queued"] * 3 + ["failed"] * 3
    assert listed(database, job, status="queued") == [6, 7, 8]
    assert listed(database, job, status="failed") == [9, 10, 11]
    assert listed(database, job, status="completed") == [0, 1, 2]
    assert listed(database, job, ranges=[(1, 4), (8, 11)]) == [1, 2, 3, 8, 9, 10]
    assert listed(database, job, ranges=[(1, 4), (8, 11)], status="failed") == [9, 10]


@pytest.mark.slow(after=1)
def test_runs_without_a_loss_follow_those_with_one(database: Database, job: Job) -> None:
    assert listed(database, job, sort="final_loss") == [3, 5, 4, 2, 0, 1, 6, 7, 8, 9, 10, 11]
    assert listed(database, job, sort="best_loss", ranges=[(0, 2), (5, 8)]) == [5, 0, 1, 6, 7]
    assert listed(database, job, sort="final_loss", status="completed") == [2, 0, 1]
    assert listed(database, job, sort="final_loss", status="queued") == [6, 7, 8]


def test_a_run_is_found_by_its_index_whether_it_has_a_row_or_not(database: Database, job: Job) -> None:
    with database.snapshot() as session:
        found = [run_states.find(session, job, index) for index in (0, 7, 11)]
        assert [(run.index, str(run.status), run.final_loss) for run in found if run is not None] == [
            (0, "completed", 5.0),
            (7, "queued", None),
            (11, "failed", None),
        ]
        assert run_states.find(session, job, 12) is None
        assert run_states.find(session, job, -1) is None
        assert [run.index for run in run_states.read(session, job, [8, 2, 40, 0])] == [8, 2, 0]


def test_a_job_of_a_million_runs_is_created_cancelled_and_deleted_without_rows_of_runs(database: Database) -> None:
    key = create(database, seeds={"count": 333_334})
    assert count(database, Run) == 0
    with database.transaction() as session:
        job = session.get_one(Job, key)
        assert job.runs_total == 1_000_002
        assert [run.index for run in run_states.list_runs(
            session, job, ranges=None, status="queued", sort="index", after=999_999, limit=10
        )] == [999_999, 1_000_000, 1_000_001]  # fmt: skip
        assert lifecycle.cancel(session, job.id, ANYBODY).status == "cancelled"
        assert str(run_states.read(session, job, [500_000])[0].status) == "cancelled"
    assert count(database, Run) == 0
    with database.transaction() as session:
        lifecycle.remove(session, job.id, ANYBODY)
    assert count(database, Job) == 0
