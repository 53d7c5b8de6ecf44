"""The dialects by name, and the dialect of a session."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from service.database.dialects.dialect import Dialect
from service.database.dialects.postgresql import PostgreSQL
from service.database.dialects.sqlite import SQLite

DIALECTS: Mapping[str, Dialect] = {"sqlite": SQLite(), "postgresql": PostgreSQL()}


def dialect_of(session: Session) -> Dialect:
    """Give the dialect of a session's database."""
    return DIALECTS[session.get_bind().dialect.name]
