"""The table of minima and curvatures of linear models on data."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from service.database.columns import Base


class KnownMinimum(Base):
    """What a worker has computed of a linear model on data. It is the same for all jobs with this problem."""

    __tablename__ = "known_minima"
    __table_args__ = (Index(None, "dataset_key"), Index(None, "created_at"))

    # SHA-256 of what decides it, as hexadecimal digits (service/database/datasets/known_minima.py).
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    # The stored dataset, with which it is deleted; null for a built-in one.
    dataset_key: Mapped[int | None] = mapped_column(ForeignKey("datasets.key", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    # Curvatures, least loss and reasons.
    theory: Mapped[dict[str, Any]]
    # Weights of the minimum in float64, first byte lowest; null without one.
    minimum: Mapped[bytes | None] = mapped_column(LargeBinary)
