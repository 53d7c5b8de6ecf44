"""Jobs that are being removed, rows and bytes stored per shard, and the most that a job may store."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COLUMNS = {"jobs": ("rows_total", "bytes_total"), "shards": ("num_rows", "num_bytes")}
VALUES = (
    *("loss", "train_loss", "validation_loss", "test_loss", "accuracy", "test_accuracy", "r2", "test_r2"),
    *("grad_norm", "update_norm", "distance_from_start", "distance_to_minimum", "lr", "momentum", "x", "y"),
    *("sharpness", "noise_scale", "gradient_variance", "alpha", "velocity_norm"),
)
# As in service/jobs/quotas.py.
ROW_BYTES, VALUE_BYTES, RUN_BYTES, DECISION_BYTES = 56, 8, 150, 3_300
IS_OPEN = sa.text("status IN ('queued', 'running', 'cancelling')")


def upgrade() -> None:
    """Apply. The sizes of what is stored are counted, which reads all rows once."""
    for table, names in COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.create_index(
        "ix_jobs_open_sizes",
        "jobs",
        ["owner", "rows_total", "bytes_total"],
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.create_table(
        "removals",
        sa.Column("job_key", key, autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=12), nullable=False),
        sa.Column("num_rows", sa.BigInteger(), nullable=False),
        sa.Column("num_bytes", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("next_run", sa.Integer(), nullable=False),
        sa.Column("next_place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("job_key", name=op.f("pk_removals")),
    )
    _count()


def _count() -> None:
    """Fill the sizes of shards, jobs and owners."""
    values = " + ".join(f"count({name})" for name in VALUES)
    of_shard = "{0}.job_key = shards.job_key AND {0}.{1} >= first_run AND {0}.{1} < first_run + num_runs"
    op.execute(
        f"""
        UPDATE shards SET (num_rows, num_bytes) = (
            SELECT count(*), {ROW_BYTES} * count(*) + {VALUE_BYTES} * ({values})
            FROM metrics AS m WHERE {of_shard.format("m", "run_index")}
        )
        """  # noqa: S608
    )
    op.execute(
        f"""
        UPDATE shards SET num_bytes = num_bytes
            + {RUN_BYTES} * (SELECT count(*) FROM runs AS r WHERE {of_shard.format("r", '"index"')})
            + {DECISION_BYTES} * (SELECT count(*) FROM decisions AS d WHERE {of_shard.format("d", "run_index")})
        """  # noqa: S608
    )
    op.execute("DELETE FROM usage")
    op.execute(
        """
        INSERT INTO usage (owner, slot, num_rows, num_bytes)
        SELECT owner, 0, sum(num_rows), sum(num_bytes) FROM shards JOIN jobs ON jobs.key = job_key GROUP BY owner
        """
    )
    connection = op.get_bind()
    jobs = sa.table("jobs", *(sa.column(name) for name in ("key", "spec", "runs_total", *COLUMNS["jobs"])))
    for number, spec, num_runs in connection.execute(
        sa.text(f"SELECT key, CAST(spec AS TEXT), runs_total FROM jobs WHERE {IS_OPEN}")  # noqa: S608
    ).all():
        wanted = json.loads(spec)
        rows = num_runs * (wanted["epochs"] // wanted["record_every"] + 2)
        size = rows * (ROW_BYTES + VALUE_BYTES * len(VALUES)) + num_runs * (RUN_BYTES + DECISION_BYTES)
        connection.execute(jobs.update().where(jobs.c.key == number).values(rows_total=rows, bytes_total=size))


def downgrade() -> None:
    """Undo. Jobs that are being removed are removed at once."""
    for table in ("metrics", "decisions", "runs"):
        op.execute(f"DELETE FROM {table} WHERE job_key IN (SELECT job_key FROM removals)")  # noqa: S608
    op.execute("DELETE FROM usage")
    op.drop_table("removals")
    op.drop_index("ix_jobs_open_sizes", table_name="jobs")
    for table, names in COLUMNS.items():
        for name in names:
            op.drop_column(table, name)
