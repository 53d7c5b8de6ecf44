"""The tables of jobs: shards and checkpoints, runs and decision maps, counters. metric_rows.py has the histories, and
accounts.py what belongs to keys.

The database itself rejects invalid states. docs/states.md describes its constraints and the transitions.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.database.columns import Base, Key, ended_in, one_of
from service.database.states import JOB_ENDED, JobStatus, RunStatus, ShardStatus

# Written as text: with parameters instead of the names, SQLite would not use the index with this condition.
JOB_IS_OPEN = text("status IN ('queued', 'running', 'cancelling')")
SHARD_IS_QUEUED = literal_column("shards.status") == literal_column("'queued'")
SHARD_IS_RUNNING = literal_column("shards.status") == literal_column("'running'")


class Job(Base):
    """An accepted comparison. Its progress is the sum over its shards."""

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("status", JobStatus),
        CheckConstraint("runs_total >= 1 AND epochs_total >= runs_total", name="size"),
        CheckConstraint(f"({ended_in(JOB_ENDED)}) = (finished_at IS NOT NULL)", name="finished"),
        # A job that was cancelled in the queue has never started.
        CheckConstraint("(status <> 'queued' OR started_at IS NULL) AND "
                        "(status NOT IN ('running', 'completed') OR started_at IS NOT NULL)", name="started"),
        # The reason of the first failed shard is stored while other shards still train.
        CheckConstraint("(status <> 'failed' OR error_reason IS NOT NULL) AND "
                        "(error_reason IS NULL OR status IN ('running', 'cancelling', 'failed')) AND "
                        "(error_detail IS NULL OR error_reason IS NOT NULL)", name="error"),
        CheckConstraint("expires_at IS NULL OR finished_at IS NOT NULL", name="expires"),
        CheckConstraint("receipt IS NULL OR started_at IS NOT NULL", name="receipt"),
        Index(None, "status", "key"),
        Index(None, "problem", "key"),
        Index(None, "owner", "key"),
        # All columns by which lists are filtered, so that filters without an index of their own do not read the specs.
        Index("ix_jobs_listed", "key", "owner", "status", "problem", "name_folded"),
        # Every POST sums the open work and runs of its owner from this index.
        Index("ix_jobs_open", "owner", "work", "runs_total",
              sqlite_where=JOB_IS_OPEN, postgresql_where=JOB_IS_OPEN),
        # Every POST sums from this index what the open jobs of its owner may store.
        Index("ix_jobs_open_sizes", "owner", "rows_total", "bytes_total",
              sqlite_where=JOB_IS_OPEN, postgresql_where=JOB_IS_OPEN),
        # Different owners may use the same idempotency key.
        UniqueConstraint("owner", "idempotency_key"),
        Index(None, "dataset_key"),
        Index("ix_jobs_expiring", "expires_at", sqlite_where=text("expires_at IS NOT NULL"),
              postgresql_where=text("expires_at IS NOT NULL")),
        Index("ix_jobs_limited", "deadline_at", sqlite_where=text("status = 'running'"),
              postgresql_where=text("status = 'running'")),
        # Without this SQLite would reuse keys of deleted jobs.
        {"sqlite_autoincrement": True},
    )  # fmt: skip

    key: Mapped[int] = mapped_column(Key, primary_key=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    name: Mapped[str]
    # The case-folded name, in which the filter of lists searches; LIKE of SQLite folds ASCII letters only.
    # Computed by this service, because SQLite does not read generated columns from the index of lists.
    name_folded: Mapped[str] = mapped_column(deferred=True)
    problem: Mapped[str]
    status: Mapped[str] = mapped_column(default=JobStatus.QUEUED)
    spec: Mapped[dict[str, Any]]
    spec_digest: Mapped[str]
    runs_total: Mapped[int]
    epochs_total: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    # The end of its time limit, set when the first shard is claimed.
    deadline_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    error_reason: Mapped[str | None]
    error_detail: Mapped[str | None]
    receipt: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    idempotency_key: Mapped[str | None]
    # The API key that created it; empty if the API is open.
    owner: Mapped[str] = mapped_column(String(12), default="")
    # Updates × parameters, by the price at its creation.
    work: Mapped[float] = mapped_column(default=0.0)
    # The most metric rows, and bytes of all kinds, that it may store; bytes are estimates (service/jobs/quotas.py).
    rows_total: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    bytes_total: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    # The W3C trace context of the request that created it; null without tracing.
    traceparent: Mapped[str | None] = mapped_column(String(55))
    # Text that a client has written about the job.
    note: Mapped[str | None]
    # The stored dataset that it trains on.
    dataset_key: Mapped[int | None] = mapped_column(BigInteger)
    # Of a job that decides: the most runs that it may train, and its decision at the last look (service/jobs/looks.py).
    # `runs_total`, `epochs_total`, `work` and the sizes above then are those of the runs queued so far.
    runs_max: Mapped[int | None]
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class JobTag(Base):
    """A word that a client has attached to a job."""

    __tablename__ = "job_tags"
    __table_args__ = (Index(None, "tag", "job_key"),)

    job_key: Mapped[int] = mapped_column(ForeignKey("jobs.key", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True)


class Shard(Base):
    """Consecutive runs of a job that train together, with the lease of the worker that trains them."""

    __tablename__ = "shards"
    __table_args__ = (
        one_of("status", ShardStatus),
        CheckConstraint("first_run >= 0 AND num_runs >= 1", name="size"),
        CheckConstraint("(status = 'running') = (lease_until IS NOT NULL)", name="lease"),
        CheckConstraint("attempt >= 0 AND (status NOT IN ('running', 'completed') OR attempt >= 1)", name="attempt"),
        CheckConstraint("epoch >= 0 AND epochs_done >= 0 AND epochs_done <= CAST(epoch AS BIGINT) * num_runs",
                        name="epochs"),
        CheckConstraint("runs_diverged >= 0 AND runs_diverged <= runs_ended AND runs_ended <= num_runs AND "
                        "(status IN ('queued', 'running') OR runs_ended = num_runs)", name="runs"),
        # In the order in which the shards of an owner are claimed (service/jobs/turns.py).
        Index("ix_shards_queued", "queue", "kinds", "owner", "portion", "job_key", "number",
              sqlite_where=text("status = 'queued'"), postgresql_where=text("status = 'queued'")),
        # As many entries as workers train; it has no column that a chunk changes.
        Index("ix_shards_running", "queue", "owner",
              sqlite_where=text("status = 'running'"), postgresql_where=text("status = 'running'")),
    )  # fmt: skip

    job_key: Mapped[int] = mapped_column(ForeignKey("jobs.key", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_run: Mapped[int]
    num_runs: Mapped[int]
    queue: Mapped[str]
    # The owner of the job.
    owner: Mapped[str] = mapped_column(String(12), default="")
    # The kinds of optimizer that its worker must have from installed classes, sorted, with commas; usually none.
    kinds: Mapped[str] = mapped_column(default="", server_default="")
    # Jobs of an owner take turns by portions: shards 0 to 7, then 8 to 15, 16 to 31, 32 to 63, …
    portion: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(default=ShardStatus.QUEUED)
    # Number of claims. Every write of a worker names its attempt, and fails if there is a newer one.
    attempt: Mapped[int] = mapped_column(default=0)
    # Number of attempts whose lease expired since the last chunk; an attempt that returned the shard is not counted.
    lost: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    # The last epoch of the runs that have not diverged.
    epoch: Mapped[int] = mapped_column(default=0)
    epochs_done: Mapped[int] = mapped_column(BigInteger, default=0)
    runs_ended: Mapped[int] = mapped_column(default=0)
    runs_diverged: Mapped[int] = mapped_column(default=0)
    # Stored metric rows, and bytes of rows, runs and decision maps.
    num_rows: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    num_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class Checkpoint(Base):
    """The state of the training of a shard, from which any worker can continue; stored with the rows up to it."""

    __tablename__ = "checkpoints"
    __table_args__ = (
        ForeignKeyConstraint(["job_key", "number"], ["shards.job_key", "shards.number"], ondelete="CASCADE"),
    )

    job_key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Tally(Base):
    """Counters of all workers, each the sum over slots; see service/jobs/tallies.py."""

    __tablename__ = "tallies"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)


class Run(Base):
    """The state of one run. Its label, hyper-parameters, seed and start follow from the spec and the index.

    The first chunk of a shard inserts the rows of all its runs. A run without a row is queued, or has ended with its
    shard (service/jobs/run_states.py). Runs and metrics have no foreign keys: checking one costs more than writing the
    row, and both are written only for a shard that is locked in the same transaction.
    """

    __tablename__ = "runs"
    __table_args__ = (
        one_of("status", RunStatus),
        CheckConstraint('"index" >= 0 AND epochs_done >= 0', name="size"),
        # A run stops where it diverges.
        CheckConstraint("(status = 'diverged') = (diverged_epoch IS NOT NULL) AND "
                        "(diverged_epoch IS NULL OR diverged_epoch = epochs_done)", name="diverged"),
        CheckConstraint("(best_loss IS NULL) = (best_epoch IS NULL) AND "
                        "(best_epoch IS NULL OR (best_epoch >= 0 AND best_epoch <= epochs_done))", name="best"),
        {"sqlite_with_rowid": False},
    )  # fmt: skip

    job_key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[str]
    epochs_done: Mapped[int]
    final_loss: Mapped[float | None]
    # The smallest finite loss, with `maximize` the largest.
    best_loss: Mapped[float | None]
    best_epoch: Mapped[int | None]
    diverged_epoch: Mapped[int | None]
    # Of the last row; null where the problem has no test data.
    test_loss: Mapped[float | None]
    test_accuracy: Mapped[float | None]
    # Mean loss over the epochs, by trapezoids between rows; infinite if the run diverged.
    loss_area: Mapped[float | None]
    # A hash of all rows: equal for equal histories.
    history_digest: Mapped[int | None] = mapped_column(BigInteger)


class Decision(Base):
    """The decision map of a run after its last epoch: half-precision numbers on a grid of the plane, row by row."""

    __tablename__ = "decisions"
    __table_args__ = ({"sqlite_with_rowid": False},)

    job_key: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    run_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)
