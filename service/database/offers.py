"""The table of workers that offer kinds of optimizer from installed classes."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.database.columns import Base


class OfferingWorker(Base):
    """A worker process that offers kinds. Its row is renewed while it lives, and removed when it ends or is lost."""

    __tablename__ = "offering_workers"
    __table_args__ = (Index(None, "seen_at"),)

    # Of the process, new at each start.
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    seen_at: Mapped[datetime]
    # Kinds by name, as service/spec/offers.py describes them.
    kinds: Mapped[dict[str, Any]]
