"""The table of looks of jobs that decide."""

from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.database.columns import Base


class Look(Base):
    """The decision of a job after a batch of seeds, stored in the transaction that ended the batch."""

    __tablename__ = "looks"

    job_key: Mapped[int] = mapped_column(ForeignKey("jobs.key", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    decision: Mapped[dict[str, Any]]
    # Values of the seeds of the batch, one list for each label, on the scale of the criterion.
    outcomes: Mapped[list[list[float]]] = mapped_column(JSON)
