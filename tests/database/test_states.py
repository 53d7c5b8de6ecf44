"""What no state allows is refused by the database itself, on both kinds."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, inspect, update
from sqlalchemy.exc import IntegrityError

from service.database.connection import Database
from service.database.metadata import METADATA
from service.database.statements import seconds_from_now
from service.database.states import JOB_ENDED, SHARD_ENDED, JobStatus, ShardStatus
from service.database.tables import Job, Run, Shard
from tests.queued import create

NOW = seconds_from_now()
STATES_MD = (Path(__file__).parents[2] / "docs" / "states.md").read_text()


def drawn(states: type[JobStatus] | type[ShardStatus]) -> set[tuple[str, str]]:
    """The arrows of the diagram in docs/states.md that has just these states."""
    for diagram in re.findall(r"```mermaid\n(.*?)```", STATES_MD, re.DOTALL):
        arrows = set(re.findall(r"(\w+) --> (\w+): \w", diagram))
        if {state for arrow in arrows for state in arrow} == set(states):
            return arrows
    raise AssertionError(f"docs/states.md has no diagram of {states.__name__}")


def job_in(status: str) -> dict[str, Any]:
    """All columns that a job in this state must have, and those that it may not have; the job decides."""
    ended = status in JOB_ENDED
    return {
        "status": status,
        "started_at": None if status == "queued" else NOW,
        "finished_at": NOW if ended else None,
        "error_reason": "training_error" if status == "failed" else None,
        "runs_max": 6,
    }


def shard_in(status: str) -> dict[str, Any]:
    ended = status in SHARD_ENDED
    return {
        "status": status,
        "attempt": 1,
        "lease_until": NOW if status == "running" else None,
        "runs_ended": 3 if ended else 0,
    }


def change(database: Database, table: Any, values: dict[str, Any]) -> None:
    with database.transaction() as session:
        session.execute(update(table).values(**values))


# Changes of a job that was just created, and which constraint refuses each; a status that does not exist is no move.
WRONG: list[tuple[Any, dict[str, Any], str]] = [
    (Job, {"status": "sleeping"}, "never"),
    (Job, {"finished_at": NOW}, "ck_jobs_finished"),
    (Job, {"status": "running"}, "ck_jobs_started"),
    (Job, {"started_at": NOW}, "ck_jobs_started"),
    (Job, {"error_reason": "timeout"}, "ck_jobs_error"),
    (Job, {"error_detail": "without a reason"}, "ck_jobs_error"),
    (Job, {"expires_at": NOW}, "ck_jobs_expires"),
    (Job, {"receipt": {"torch": "none"}}, "ck_jobs_receipt"),
    (Job, {"runs_total": 0}, "ck_jobs_size"),
    (Job, {"epochs_total": 2}, "ck_jobs_size"),
    (Shard, {"status": "sleeping"}, "never"),
    (Shard, {"status": "running", "attempt": 1}, "ck_shards_lease"),
    (Shard, {"lease_until": NOW}, "ck_shards_lease"),
    (Shard, {"status": "running", "lease_until": NOW}, "ck_shards_attempt"),
    (Shard, {"attempt": -1}, "ck_shards_attempt"),
    (Shard, {"first_run": -1}, "ck_shards_size"),
    (Shard, {"num_runs": 0}, "ck_shards_size"),
    (Shard, {"epochs_done": 4, "epoch": 1}, "ck_shards_epochs"),
    (Shard, {"epoch": -1}, "ck_shards_epochs"),
    (Shard, {"runs_ended": 4}, "ck_shards_runs"),
    (Shard, {"runs_diverged": 1}, "ck_shards_runs"),
    (Shard, {"status": "cancelled", "runs_ended": 2}, "ck_shards_runs"),
    (Run, {"status": "sleeping"}, "ck_runs_status"),
    (Run, {"epochs_done": -1}, "ck_runs_size"),
    (Run, {"status": "diverged"}, "ck_runs_diverged"),
    (Run, {"diverged_epoch": 0}, "ck_runs_diverged"),
    (Run, {"status": "diverged", "epochs_done": 3, "diverged_epoch": 2}, "ck_runs_diverged"),
    (Run, {"best_loss": 0.5}, "ck_runs_best"),
    (Run, {"best_loss": 0.5, "best_epoch": 1}, "ck_runs_best"),
]

# How to come to a state by allowed moves.
ROADS = {
    "queued": ["queued"],
    "running": ["queued", "running"],
    "cancelling": ["queued", "running", "cancelling"],
    "completed": ["queued", "running", "completed"],
    "failed": ["queued", "running", "failed"],
}


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("table", "states", "row_in"),
    [(Job, JobStatus, job_in), (Shard, ShardStatus, shard_in)],
    ids=["jobs", "shards"],
)
def test_the_database_makes_the_moves_that_are_drawn_and_refuses_all_others(
    database: Database, table: Any, states: Any, row_in: Any
) -> None:
    roads = {**ROADS, "cancelled": ["queued", "running", "cancelling" if table is Job else "running", "cancelled"]}
    made, refusals = set(), set()
    for before in states:
        for after in set(states) - {before}:
            with database.transaction() as session:
                session.execute(table.__table__.delete())
            create(database)
            for step in roads[before]:
                change(database, table, row_in(step))
            try:
                change(database, table, row_in(after))
            except IntegrityError as error:
                refusals.add("never" in str(error.orig))
            else:
                made.add((str(before), str(after)))
    assert made == drawn(states)
    assert refusals == {True}, "something else than the trigger refused a move"


def test_only_a_job_that_decides_goes_on_after_its_end(database: Database) -> None:
    create(database)
    for step in ROADS["completed"]:
        change(database, Job, job_in(step))
    with pytest.raises(IntegrityError, match="never"):
        change(database, Job, {**job_in("running"), "runs_max": None})
    change(database, Job, job_in("running"))


def test_a_row_that_no_state_allows_is_refused(database: Database) -> None:
    key = create(database)
    with database.transaction() as session:
        session.add(Run(job_key=key, index=0, status="queued", epochs_done=0))
    for table, wrong, constraint in WRONG:
        with pytest.raises(IntegrityError) as refused:
            change(database, table, wrong)
        assert constraint in str(refused.value.orig), (table, wrong)


def test_a_shard_of_the_largest_allowed_size_fits_its_constraints(database: Database) -> None:
    create(database)
    change(database, Shard, {"num_runs": 2_000_000_000, "epoch": 2_000_000_000, "epochs_done": 4 * 10**18})


def test_the_migrations_make_the_constraints_of_the_models(database: Database) -> None:
    inspector = inspect(database.engine)
    for name, table in METADATA.tables.items():
        wanted = {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)}
        assert {one["name"] for one in inspector.get_check_constraints(name)} == wanted
