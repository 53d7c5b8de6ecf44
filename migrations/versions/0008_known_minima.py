"""Minima and curvatures of linear models on data."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "known_minima",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("dataset_key", key, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("theory", sa.JSON(), nullable=False),
        sa.Column("minimum", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["dataset_key"], ["datasets.key"], name=op.f("fk_known_minima_datasets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_minima")),
    )
    op.create_index(op.f("ix_known_minima_dataset_key"), "known_minima", ["dataset_key"])
    op.create_index(op.f("ix_known_minima_created_at"), "known_minima", ["created_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("known_minima")
