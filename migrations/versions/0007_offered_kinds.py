"""Kinds of optimizer that workers offer from installed classes, and those that a shard needs."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

QUEUED = sa.text("status = 'queued'")
# Both databases have the same conditions of partial indexes.
WHERE = {"sqlite_where": QUEUED, "postgresql_where": QUEUED}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "offering_workers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offering_workers")),
    )
    op.create_index(op.f("ix_offering_workers_seen_at"), "offering_workers", ["seen_at"])
    op.add_column("shards", sa.Column("kinds", sa.Text(), nullable=False, server_default=""))
    op.drop_index("ix_shards_queued", table_name="shards", **WHERE)
    op.create_index("ix_shards_queued", "shards", ["queue", "kinds", "owner", "portion", "job_key", "number"], **WHERE)


def downgrade() -> None:
    """Undo. Shards that need installed classes fail in their workers."""
    op.drop_index("ix_shards_queued", table_name="shards", **WHERE)
    op.create_index("ix_shards_queued", "shards", ["queue", "owner", "portion", "job_key", "number"], **WHERE)
    op.drop_column("shards", "kinds")
    op.drop_table("offering_workers")
