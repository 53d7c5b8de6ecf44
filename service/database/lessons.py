"""The table of lessons."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from service.database.columns import Base


class LessonRecord(Base):
    """The jobs last submitted for a lesson, and the finding of those that were judged last."""

    __tablename__ = "lessons"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Ids of jobs by the name of their preset.
    job_ids: Mapped[dict[str, Any]]
    submitted_at: Mapped[datetime]
    # NULL until the jobs submitted last are judged; the finding is that of earlier jobs until then.
    judged_at: Mapped[datetime | None]
    finding: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
