"""The table of histories: one row per run and epoch."""

from sqlalchemy import Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.database.columns import Base, Key, Real
from service.database.epochs import block_of
from service.spec.metric_fields import COLUMNS


class Metric(Base):
    """One run at one epoch, with a column per field of service/spec/metric_fields.py. NULL means not measured.

    On SQLite the primary key is the table. On PostgreSQL it would be an index with a third of all bytes; instead there
    is the index of epochs.py, and the writer rejects rows that are stored already.
    """

    __tablename__ = "metrics"
    __table_args__ = (
        PrimaryKeyConstraint("job_key", "run_index", "epoch").ddl_if(dialect="sqlite"),
        Index("ix_metrics_blocks", "job_key", "run_index", text(block_of("epoch"))).ddl_if(dialect="postgresql"),
        {"sqlite_with_rowid": False},
    )

    job_key: Mapped[int] = mapped_column(Key, autoincrement=False)
    run_index: Mapped[int] = mapped_column(autoincrement=False)
    epoch: Mapped[int] = mapped_column(autoincrement=False)
    loss: Mapped[float | None]


for _column in COLUMNS:
    if _column not in Metric.__table__.columns:
        setattr(Metric, _column, mapped_column(Real, nullable=True))
