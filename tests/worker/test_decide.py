"""Jobs that decide train batches of seeds until every label has a verdict, whatever happens to workers."""

from typing import Any

import pytest
from sqlalchemy import select

from service.database.connection import Database
from service.database.looks import Look
from service.database.tables import Job, Shard
from service.errors import Conflict, QuotaReached, Rejected, TooMuchOpen
from service.findings.comparison.job import compare
from service.jobs import continuing, lifecycle, quotas
from service.jobs.owners import ANYBODY
from service.jobs.specs import runs_of
from service.settings import Settings
from tests.chaos.invariants import record_of
from tests.deciding import CLOSE, NOISY, TUNED, job_of, looks_of, post, train


def test_a_job_trains_batches_until_it_is_sure_and_nothing_more(database: Database) -> None:
    key = post(database, NOISY)
    assert (job_of(database, key).decision or {})["status"] == "open"
    assert train(database, key) == 2
    job, decisions = job_of(database, key), looks_of(database, key)
    assert job.status == "completed"
    assert [one["status"] for one in decisions] == ["open", "decided"]
    assert (job.runs_total, job.epochs_total, job.runs_max) == (2 * 16, 2 * 16 * 12, 2 * 100)
    assert job.decision == {**decisions[-1], "former_ends": [], "chosen": None}
    (fast,) = decisions[-1]["labels"]
    assert (fast["label"], fast["verdict"], fast["seeds"]) == ("fast", "better", 16)
    low, high = fast["interval"]
    assert low < high < 0
    with database.snapshot() as session:
        firsts = session.execute(select(Shard.first_run, Shard.num_runs).order_by(Shard.number)).all()
        found = compare(session, session.get_one(Job, key))
    assert [tuple(row) for row in firsts] == [(0, 16), (16, 16)]
    # The comparison has the interval of the decision, seen from the other label.
    (pair,) = found["pairs"]
    assert (pair["a"], pair["b"], pair["low"], pair["high"]) == (
        "slow",
        "fast",
        pytest.approx(-high),
        pytest.approx(-low),
    )
    assert found["best"] == ["fast"]
    assert found["verdict"] == "fast is better than slow (16 seeds, 95 % confidence at every look)."


@pytest.mark.slow(after=1)
def test_the_first_seeds_choose_settings_and_later_ones_train_and_judge_only_these(database: Database) -> None:
    key = post(database, TUNED)
    train(database, key)
    job, decisions = job_of(database, key), looks_of(database, key)
    assert job.status == "completed"
    # 8 seeds of 6 settings, then 8 seeds of the second setting of the one and the third of the other.
    assert (job.decision or {})["chosen"] == [1, 5]
    assert (job.runs_total, job.runs_max) == (8 * 6 + 8 * 2, 8 * 6 + 92 * 2)
    assert [(one["status"], one["seeds_used"]) for one in decisions] == [("decided", 8)]
    runs = runs_of(job)
    assert [(runs[at].label, runs[at].seed) for at in (5, 6, 48, 49, 50)] == [
        ("fast lr=0.2", 0),
        ("slow lr=0.001", 1),
        ("slow lr=0.02", 8),
        ("fast lr=0.2", 8),
        ("slow lr=0.02", 9),
    ]
    # The later seeds are those of a job that has these settings only.
    alone = post(database, NOISY, seeds={"first": 8}, decide={"batch": 8, "max_seeds": 8})
    train(database, alone)
    rows, of_these = (record_of(database, job_of(database, one).id) for one in (key, alone))
    assert rows is not None
    assert of_these is not None
    assert [(row[0] - 48, *row[1:]) for row in rows.rows if row[0] >= 48] == list(of_these.rows)
    with database.snapshot() as session:
        found, plain = (compare(session, session.get_one(Job, one)) for one in (key, alone))
    assert (found["tuned"], found["choosing_seeds"], found["replicates"], found["partial"]) == (True, 8, 8, False)
    assert [label["chosen"]["optimizer"]["lr"] for label in found["labels"]] == [0.02, 0.2]
    # The untrained start is that of the first seeds, which are others here.
    assert found["pairs"][0]["difference"] == pytest.approx(plain["pairs"][0]["difference"], rel=0.05)
    assert found["best"] == ["fast"]


@pytest.mark.slow
def test_an_undecided_job_ends_at_max_seeds_and_continues(database: Database) -> None:
    key = post(database, CLOSE)
    train(database, key)
    job, before = job_of(database, key), looks_of(database, key)
    assert (job.status, job.runs_total) == ("completed", 2 * 20)
    assert [(one["status"], one["seeds_used"]) for one in before] == [("open", 8), ("open", 16), ("undecided", 20)]
    rows = record_of(database, job.id)
    assert rows is not None

    def go_on(max_seeds: int, settings: Settings = Settings()) -> Any:  # noqa: B008
        with database.transaction() as session:
            return continuing.go_on(session, job.id, ANYBODY, max_seeds, settings)

    with pytest.raises(Rejected, match="must be more than 20"):
        go_on(20)
    with pytest.raises(Rejected, match="looks"):
        go_on(9_000)
    with pytest.raises(Rejected, match="50 are allowed"):
        go_on(30, Settings(max_runs=50))
    continued, waiting = go_on(36)
    assert (continued.status, continued.finished_at, continued.runs_max) == ("running", None, 2 * 36)
    assert waiting == ("interactive", 1)
    # Again, as a client does that got no answer.
    assert go_on(36)[1] is None
    with pytest.raises(Conflict, match="running"):
        go_on(37)
    train(database, key)
    job, after = job_of(database, key), looks_of(database, key)
    assert (job.status, job.runs_total) == ("completed", 2 * 36)
    assert after[:3] == before
    # The batch that was cut at 20 seeds ends where it would have ended.
    assert [one["seeds_used"] for one in after[3:]] == [24, 32, 36]
    now = record_of(database, job.id)
    assert now is not None
    assert list(now.rows)[: len(rows.rows)] == list(rows.rows)
    assert list(now.runs)[: len(rows.runs)] == list(rows.runs)


@pytest.mark.slow(after=1)
def test_only_undecided_jobs_continue_within_the_limits_of_their_owner(database: Database) -> None:
    plain, decided, close = post(database, NOISY, decide=None), post(database, NOISY), post(database, CLOSE)
    for key in (decided, close):
        train(database, key)
    ids = {key: job_of(database, key).id for key in (plain, decided, close)}
    refused: list[tuple[int, type[Exception], str]] = [
        (plain, Conflict, "does not decide"),
        (decided, Conflict, "this one is decided"),
        (close, TooMuchOpen, "1 jobs are waiting"),
    ]
    for key, kind, words in refused:
        with pytest.raises(kind, match=words), database.transaction() as session:
            continuing.go_on(session, ids[key], ANYBODY, 200, Settings(max_open_jobs=1))
    with database.transaction() as session:
        lifecycle.cancel(session, ids[plain], ANYBODY)
        continuing.go_on(session, ids[close], ANYBODY, 200, Settings(max_open_jobs=1))
    assert job_of(database, close).status == "running"


def test_seeds_with_equal_histories_are_evidence_once(database: Database) -> None:
    """Three throws of a coin have eight results, however many seeds throw it."""
    walk = {"kind": "formula", "update": ["w = w - lr*g - 0.1*sign(normal)"]}
    key = post(
        database,
        NOISY,
        problem={"kind": "quadratic", "eigenvalues": [1.0], "start": [1.0]},
        optimizers=[{**walk, "label": "slow", "lr": 0.01}, {**walk, "label": "fast", "lr": 0.5}],
        epochs=3,
        decide={"batch": 10, "max_seeds": 45},
    )
    train(database, key)
    job = job_of(database, key)
    assert job.decision is not None
    found = looks_of(database, key)
    used = [look["seeds_used"] for look in found]
    assert used == sorted(used)
    assert used[-1] == 8
    assert (job.status, job.decision["status"]) == ("completed", "undecided")
    assert job.decision["seeds_used"] == 8
    # All seeds were trained, and the comparison counts the same ones.
    assert job.runs_total == 2 * 45
    with database.snapshot() as session:
        answer = compare(session, job)
        outcomes = session.execute(select(Look.outcomes).where(Look.job_key == key).order_by(Look.number)).scalars()
        values = [tuple(seed) for batch in outcomes for seed in zip(*batch, strict=True)]
    assert len(values) == len(set(values)) == answer["replicates"] == 8
    assert "seeds_repeat" in [one["code"] for one in answer["warnings"]]


@pytest.mark.slow(after=1)
def test_a_quota_between_batches_leaves_a_job_undecided_which_continues_as_if_nothing_had_happened(
    database: Database,
) -> None:
    whole, key = (post(database, CLOSE, decide={**CLOSE["decide"], "max_seeds": 40}) for _ in range(2))
    train(database, whole)
    # Room for the rows of a second batch, and not for a third.
    with database.snapshot() as session:
        left = quotas.stored(session, "").rows + 2 * 8 * 3 * 2
    train(database, key, settings=Settings(max_stored_rows=left))
    stopped = job_of(database, key)
    assert stopped.decision is not None
    assert (stopped.status, stopped.runs_total) == ("completed", 2 * 16)
    decision = stopped.decision
    assert (decision["status"], decision["seeds_used"], decision["max_seeds"]) == ("undecided", 16, 16)
    assert f"at most {left:,} are allowed" in decision["stopped"]
    with database.snapshot() as session:
        warned = {one["code"]: one["sentence"] for one in compare(session, stopped)["warnings"]}
    assert "No further seeds were trained" in warned["quota_reached"]
    with pytest.raises(QuotaReached), database.transaction() as session:
        continuing.go_on(session, stopped.id, ANYBODY, 40, Settings(max_stored_rows=left))
    with database.transaction() as session:
        continuing.go_on(session, stopped.id, ANYBODY, 40, Settings())
    train(database, key)
    one, other = job_of(database, whole), job_of(database, key)
    assert one.decision is not None
    assert other.decision is not None
    for part in ("status", "seeds_used", "max_seeds", "labels"):
        assert one.decision[part] == other.decision[part]
    assert "stopped" not in other.decision
    last = [looks_of(database, job)[-1]["labels"] for job in (whole, key)]
    assert last[0] == last[1]
