"""Jobs that decide: the most runs that they may train, their decisions, and their looks."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOVES = (
    "queued running",
    "queued cancelling",
    "running cancelling",
    "running completed",
    "running failed",
    "cancelling cancelled",
    "cancelling completed",
    "cancelling failed",
)


def upgrade() -> None:
    """Apply."""
    op.add_column("jobs", sa.Column("runs_max", sa.Integer(), nullable=True))
    op.add_column("jobs", sa.Column("decision", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "looks",
        sa.Column("job_key", key, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("decision", sa.JSON(), nullable=False),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["job_key"], ["jobs.key"], name=op.f("fk_looks_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_key", "number", name=op.f("pk_looks")),
    )
    # A job that decides may continue after its end.
    _refuse_other_moves(" AND (OLD.status <> 'completed' OR NEW.status <> 'running' OR NEW.runs_max IS NULL)")


def _refuse_other_moves(but: str = "") -> None:
    """Replace the trigger of jobs of the first revision, on the same conditions but one."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER jobs_moves ON jobs")
        act = "EXECUTE FUNCTION refuse_move()"
    else:
        op.execute("DROP TRIGGER jobs_moves")
        act = "BEGIN SELECT RAISE(ABORT, 'jobs never make this change of status'); END"
    allowed = ", ".join(f"'{move}'" for move in MOVES)
    when = f"OLD.status <> NEW.status AND OLD.status || ' ' || NEW.status NOT IN ({allowed}){but}"
    op.execute(f"CREATE TRIGGER jobs_moves BEFORE UPDATE OF status ON jobs FOR EACH ROW WHEN ({when}) {act}")


def downgrade() -> None:
    """Undo."""
    _refuse_other_moves()
    op.drop_table("looks")
    op.drop_column("jobs", "decision")
    op.drop_column("jobs", "runs_max")
