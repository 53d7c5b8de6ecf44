"""first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# All changes of status, as "from to". docs/states.md lists the same changes with their causes.
MOVES = {
    "jobs": [
        "queued running",
        "queued cancelling",
        "running cancelling",
        "running completed",
        "running failed",
        "cancelling cancelled",
        "cancelling completed",
        "cancelling failed",
    ],
    "shards": [
        "queued running",
        "queued cancelled",
        "queued failed",
        "running queued",
        "running completed",
        "running failed",
        "running cancelled",
    ],
}

# On SQLite a column of type FLOAT stores −0.0 as 0. A column without affinity (type BLOB) keeps the sign.
real = sa.Float(precision=53).with_variant(sa.BLOB(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
    )
    op.create_table(
        "jobs",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_folded", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("spec_digest", sa.Text(), nullable=False),
        sa.Column("runs_total", sa.Integer(), nullable=False),
        sa.Column("epochs_total", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_reason", sa.Text(), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("receipt", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("owner", sa.String(length=12), nullable=False),
        sa.Column("work", real, nullable=False),
        sa.Column("traceparent", sa.String(length=55), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'cancelling', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_jobs_status"),
        ),
        sa.CheckConstraint("runs_total >= 1 AND epochs_total >= runs_total", name=op.f("ck_jobs_size")),
        sa.CheckConstraint(
            "(status IN ('cancelled', 'completed', 'failed')) = (finished_at IS NOT NULL)",
            name=op.f("ck_jobs_finished"),
        ),
        sa.CheckConstraint(
            "(status <> 'queued' OR started_at IS NULL) AND "
            "(status NOT IN ('running', 'completed') OR started_at IS NOT NULL)",
            name=op.f("ck_jobs_started"),
        ),
        sa.CheckConstraint(
            "(status <> 'failed' OR error_reason IS NOT NULL) AND "
            "(error_reason IS NULL OR status IN ('running', 'cancelling', 'failed')) AND "
            "(error_detail IS NULL OR error_reason IS NOT NULL)",
            name=op.f("ck_jobs_error"),
        ),
        sa.CheckConstraint("expires_at IS NULL OR finished_at IS NOT NULL", name=op.f("ck_jobs_expires")),
        sa.CheckConstraint("receipt IS NULL OR started_at IS NOT NULL", name=op.f("ck_jobs_receipt")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_jobs")),
        sa.UniqueConstraint("id", name=op.f("uq_jobs_id")),
        sa.UniqueConstraint("owner", "idempotency_key", name=op.f("uq_jobs_owner_idempotency_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_jobs_expiring",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("expires_at IS NOT NULL"),
            postgresql_where=sa.text("expires_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_jobs_limited",
            ["deadline_at"],
            unique=False,
            sqlite_where=sa.text("status = 'running'"),
            postgresql_where=sa.text("status = 'running'"),
        )
        batch_op.create_index(
            "ix_jobs_open",
            ["owner", "work"],
            unique=False,
            sqlite_where=sa.text("status IN ('queued', 'running', 'cancelling')"),
            postgresql_where=sa.text("status IN ('queued', 'running', 'cancelling')"),
        )
        batch_op.create_index("ix_jobs_listed", ["key", "owner", "status", "problem", "name_folded"], unique=False)
        batch_op.create_index(batch_op.f("ix_jobs_owner_key"), ["owner", "key"], unique=False)
        batch_op.create_index(batch_op.f("ix_jobs_problem_key"), ["problem", "key"], unique=False)
        batch_op.create_index(batch_op.f("ix_jobs_status_key"), ["status", "key"], unique=False)

    op.create_table(
        "decisions",
        sa.Column("job_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("run_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_key", "run_index", name=op.f("pk_decisions")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lessons",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("job_ids", sa.JSON(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finding", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
    )
    op.create_table(
        "metrics",
        sa.Column("job_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("run_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("loss", real, nullable=True),
        sa.Column("train_loss", real, nullable=True),
        sa.Column("test_loss", real, nullable=True),
        sa.Column("accuracy", real, nullable=True),
        sa.Column("test_accuracy", real, nullable=True),
        sa.Column("grad_norm", real, nullable=True),
        sa.Column("update_norm", real, nullable=True),
        sa.Column("distance_from_start", real, nullable=True),
        sa.Column("distance_to_minimum", real, nullable=True),
        sa.Column("lr", real, nullable=True),
        sa.Column("momentum", real, nullable=True),
        sa.Column("x", real, nullable=True),
        sa.Column("y", real, nullable=True),
        sa.Column("sharpness", real, nullable=True),
        sa.Column("noise_scale", real, nullable=True),
        sa.Column("gradient_variance", real, nullable=True),
        sa.Column("alpha", real, nullable=True),
        sa.Column("velocity_norm", real, nullable=True),
        sa.PrimaryKeyConstraint("job_key", "run_index", "epoch", name=op.f("pk_metrics")).ddl_if(dialect="sqlite"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        # One entry per 64 epochs of a run: an index with an entry per row would take a third of all bytes.
        op.create_index("ix_metrics_blocks", "metrics", ["job_key", "run_index", sa.text("(epoch >> 6)")])
    op.create_table(
        "runs",
        sa.Column("job_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("epochs_done", sa.Integer(), nullable=False),
        sa.Column("final_loss", real, nullable=True),
        sa.Column("best_loss", real, nullable=True),
        sa.Column("best_epoch", sa.Integer(), nullable=True),
        sa.Column("diverged_epoch", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'completed', 'diverged', 'failed', 'cancelled')",
            name=op.f("ck_runs_status"),
        ),
        sa.CheckConstraint('"index" >= 0 AND epochs_done >= 0', name=op.f("ck_runs_size")),
        sa.CheckConstraint(
            "(status = 'diverged') = (diverged_epoch IS NOT NULL) AND "
            "(diverged_epoch IS NULL OR diverged_epoch = epochs_done)",
            name=op.f("ck_runs_diverged"),
        ),
        sa.CheckConstraint(
            "(best_loss IS NULL) = (best_epoch IS NULL) AND "
            "(best_epoch IS NULL OR (best_epoch >= 0 AND best_epoch <= epochs_done))",
            name=op.f("ck_runs_best"),
        ),
        sa.PrimaryKeyConstraint("job_key", "index", name=op.f("pk_runs")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "shards",
        sa.Column("job_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_run", sa.Integer(), nullable=False),
        sa.Column("num_runs", sa.Integer(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("epochs_done", sa.BigInteger(), nullable=False),
        sa.Column("runs_ended", sa.Integer(), nullable=False),
        sa.Column("runs_diverged", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'completed', 'failed', 'cancelled')", name=op.f("ck_shards_status")
        ),
        sa.CheckConstraint("first_run >= 0 AND num_runs >= 1", name=op.f("ck_shards_size")),
        sa.CheckConstraint("(status = 'running') = (lease_until IS NOT NULL)", name=op.f("ck_shards_lease")),
        sa.CheckConstraint(
            "attempt >= 0 AND (status NOT IN ('running', 'completed') OR attempt >= 1)", name=op.f("ck_shards_attempt")
        ),
        sa.CheckConstraint(
            "epoch >= 0 AND epochs_done >= 0 AND epochs_done <= CAST(epoch AS BIGINT) * num_runs",
            name=op.f("ck_shards_epochs"),
        ),
        sa.CheckConstraint(
            "runs_diverged >= 0 AND runs_diverged <= runs_ended AND runs_ended <= num_runs AND "
            "(status IN ('queued', 'running') OR runs_ended = num_runs)",
            name=op.f("ck_shards_runs"),
        ),
        sa.ForeignKeyConstraint(["job_key"], ["jobs.key"], name=op.f("fk_shards_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_key", "number", name=op.f("pk_shards")),
    )
    with op.batch_alter_table("shards", schema=None) as batch_op:
        batch_op.create_index(
            "ix_shards_open",
            ["status"],
            unique=False,
            sqlite_where=sa.text("status IN ('queued', 'running')"),
            postgresql_where=sa.text("status IN ('queued', 'running')"),
        )

    op.create_table(
        "checkpoints",
        sa.Column("job_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_key", "number"],
            ["shards.job_key", "shards.number"],
            name=op.f("fk_checkpoints_shards"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_key", "number", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "tallies",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "slot", name=op.f("pk_tallies")),
    )
    _refuse_other_moves()


def _refuse_other_moves() -> None:
    """Create a trigger per table that checks changes of status; a CHECK constraint cannot read the old row."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute("""
            CREATE FUNCTION refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION USING ERRCODE = 'check_violation',
                    MESSAGE = format('%s never go from %s to %s', TG_TABLE_NAME, OLD.status, NEW.status);
            END $$""")
    for table, moves in MOVES.items():
        allowed = ", ".join(f"'{move}'" for move in moves)
        when = f"OLD.status <> NEW.status AND OLD.status || ' ' || NEW.status NOT IN ({allowed})"
        act = "EXECUTE FUNCTION refuse_move()"
        if not postgresql:
            act = f"BEGIN SELECT RAISE(ABORT, '{table} never make this change of status'); END"
        op.execute(f"CREATE TRIGGER {table}_moves BEFORE UPDATE OF status ON {table} FOR EACH ROW WHEN ({when}) {act}")


def downgrade() -> None:
    """Drop all tables with their data."""
    op.drop_table("tallies")
    op.drop_table("checkpoints")
    with op.batch_alter_table("shards", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_shards_open",
            sqlite_where=sa.text("status IN ('queued', 'running')"),
            postgresql_where=sa.text("status IN ('queued', 'running')"),
        )

    op.drop_table("shards")
    op.drop_table("runs")
    op.drop_table("lessons")
    op.drop_table("metrics")
    op.drop_table("decisions")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_jobs_status_key"))
        batch_op.drop_index(batch_op.f("ix_jobs_problem_key"))
        batch_op.drop_index(batch_op.f("ix_jobs_owner_key"))
        batch_op.drop_index("ix_jobs_listed")
        batch_op.drop_index(
            "ix_jobs_open",
            sqlite_where=sa.text("status IN ('queued', 'running', 'cancelling')"),
            postgresql_where=sa.text("status IN ('queued', 'running', 'cancelling')"),
        )
        batch_op.drop_index(
            "ix_jobs_limited",
            sqlite_where=sa.text("status = 'running'"),
            postgresql_where=sa.text("status = 'running'"),
        )
        batch_op.drop_index(
            "ix_jobs_expiring",
            sqlite_where=sa.text("expires_at IS NOT NULL"),
            postgresql_where=sa.text("expires_at IS NOT NULL"),
        )

    op.drop_table("jobs")
    op.drop_table("api_keys")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_move()")
