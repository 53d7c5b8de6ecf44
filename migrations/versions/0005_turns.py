"""Turns of owners: the owner and the portion of each shard, and when each owner was last served."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

JOB_IS_OPEN = sa.text("status IN ('queued', 'running', 'cancelling')")
# Both databases have the same conditions of partial indexes.
OPEN = {"sqlite_where": JOB_IS_OPEN, "postgresql_where": JOB_IS_OPEN}


def _where(condition: str) -> dict[str, sa.TextClause]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Apply. Queued shards get their place among those of their owner."""
    op.drop_index("ix_shards_open", table_name="shards", **_where("status IN ('queued', 'running')"))
    op.drop_column("shards", "published_at")
    op.add_column("shards", sa.Column("owner", sa.String(length=12), nullable=False, server_default=""))
    op.add_column("shards", sa.Column("portion", sa.Integer(), nullable=False, server_default="0"))
    # Shards 0 to 7 are portion 0, 8 to 15 portion 1, 16 to 31 portion 2, and so on.
    steps = " ".join(f"WHEN number < {8 << portion} THEN {portion}" for portion in range(24))
    op.execute(
        "UPDATE shards SET owner = (SELECT jobs.owner FROM jobs WHERE jobs.key = shards.job_key), "  # noqa: S608
        f"portion = CASE {steps} END WHERE status IN ('queued', 'running')"
    )
    op.create_index(
        "ix_shards_queued", "shards", ["queue", "owner", "portion", "job_key", "number"], **_where("status = 'queued'")
    )
    op.create_index("ix_shards_running", "shards", ["queue", "owner"], **_where("status = 'running'"))
    op.drop_index("ix_jobs_open", table_name="jobs", **OPEN)
    op.create_index("ix_jobs_open", "jobs", ["owner", "work", "runs_total"], **OPEN)
    op.create_table(
        "turns",
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=12), nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("queue", "owner", name=op.f("pk_turns")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("turns")
    op.drop_index("ix_jobs_open", table_name="jobs", **OPEN)
    op.create_index("ix_jobs_open", "jobs", ["owner", "work"], **OPEN)
    op.drop_index("ix_shards_running", table_name="shards", **_where("status = 'running'"))
    op.drop_index("ix_shards_queued", table_name="shards", **_where("status = 'queued'"))
    op.drop_column("shards", "portion")
    op.drop_column("shards", "owner")
    op.add_column("shards", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_shards_open", "shards", ["status"], **_where("status IN ('queued', 'running')"))
