"""Rows of runs from their first chunk on, outcomes of runs, datasets, tags and usage."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# A column of type FLOAT makes 0 of −0.0 on SQLite; one of no affinity, which is called BLOB, keeps it.
real = sa.Float(precision=53).with_variant(sa.BLOB(), "sqlite")
METRICS = ("validation_loss", "r2", "test_r2")
OUTCOMES = {"test_loss": real, "test_accuracy": real, "loss_area": real, "history_digest": sa.BigInteger()}
JOBS = {"note": sa.Text(), "dataset_key": sa.BigInteger()}


def upgrade() -> None:
    """Apply. What was stored stays; the outcomes of runs that were trained before are null."""
    # Each of these statements changes the definition only: on SQLite no table is copied and no trigger lost.
    for name in METRICS:
        op.add_column("metrics", sa.Column(name, real, nullable=True))
    for name, kind in OUTCOMES.items():
        op.add_column("runs", sa.Column(name, kind, nullable=True))
    for name, kind in JOBS.items():
        op.add_column("jobs", sa.Column(name, kind, nullable=True))
    op.create_index(op.f("ix_jobs_dataset_key"), "jobs", ["dataset_key"])
    # A run without a row is queued.
    op.execute("DELETE FROM runs WHERE status = 'queued'")
    op.create_table(
        "job_tags",
        sa.Column("job_key", key, nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["job_key"], ["jobs.key"], name=op.f("fk_job_tags_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_key", "tag", name=op.f("pk_job_tags")),
    )
    op.create_index(op.f("ix_job_tags_tag_job_key"), "job_tags", ["tag", "job_key"])
    op.create_table(
        "usage",
        sa.Column("owner", sa.String(length=12), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("num_rows", sa.BigInteger(), nullable=False),
        sa.Column("num_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "slot", name=op.f("pk_usage")),
    )
    op.create_table(
        "datasets",
        sa.Column("key", key, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner", sa.String(length=12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("num_rows", sa.BigInteger(), nullable=False),
        sa.Column("num_bytes", sa.BigInteger(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_datasets")),
        sa.UniqueConstraint("id", name=op.f("uq_datasets_id")),
        sa.UniqueConstraint("owner", "digest", name=op.f("uq_datasets_owner_digest")),
        sqlite_autoincrement=True,
    )
    expires = sa.text("expires_at IS NOT NULL")
    op.create_index("ix_datasets_expiring", "datasets", ["expires_at"], sqlite_where=expires, postgresql_where=expires)
    op.create_table(
        "dataset_chunks",
        sa.Column("dataset_key", key, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_key"], ["datasets.key"], name=op.f("fk_dataset_chunks_datasets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset_key", "number", name=op.f("pk_dataset_chunks")),
    )


def downgrade() -> None:
    """Undo. Datasets, tags, notes and usage are deleted."""
    for table in ("dataset_chunks", "datasets", "usage", "job_tags"):
        op.drop_table(table)
    # Every run gets its row: one that has none is queued, or has ended with its shard.
    op.execute(
        """
        INSERT INTO runs (job_key, "index", status, epochs_done)
        WITH RECURSIVE missing (job_key, status, "index", end_run) AS (
            SELECT s.job_key, CASE WHEN s.status IN ('failed', 'cancelled') THEN s.status ELSE 'queued' END,
                   s.first_run, s.first_run + s.num_runs
            FROM shards AS s
            WHERE NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.job_key = s.job_key AND r."index" = s.first_run)
            UNION ALL
            SELECT job_key, status, "index" + 1, end_run FROM missing WHERE "index" + 1 < end_run
        )
        SELECT job_key, "index", status, 0 FROM missing
        """
    )
    op.drop_index(op.f("ix_jobs_dataset_key"), table_name="jobs")
    for table, names in (("jobs", JOBS), ("runs", OUTCOMES), ("metrics", METRICS)):
        for name in names:
            op.drop_column(table, name)
