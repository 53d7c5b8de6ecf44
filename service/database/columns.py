"""Column types of all tables: keys, times in UTC and floating-point numbers; ``Base`` names the constraints."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, DateTime, Float, Integer, MetaData, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, UserDefinedType


class UTCDateTime(TypeDecorator[datetime]):
    """A time in UTC with its zone. SQLite stores no zone, so it is removed and added again."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC for storage."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Add the zone UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite assigns ascending keys only in a column of type INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")


class AsGiven(UserDefinedType[float]):
    """A column of SQLite without affinity, which stores numbers unchanged; type FLOAT would store −0.0 as 0.

    SQLite's name of this type is BLOB ("Datatypes In SQLite", section 3.1); the values are numbers.
    """

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Give the name of the type for CREATE TABLE."""
        return "BLOB"


# Eight bytes. SQLite would store NaN as NULL, so it is stored as the text 'NaN', which sorts above all numbers, as NaN
# does on PostgreSQL, and which the API writes too (see dialects/sqlite.py).
Real = Float(53).with_variant(AsGiven(), "sqlite")


def one_of(column: str, allowed: Iterable[str]) -> CheckConstraint:
    """Write the condition that a column has one of these values."""
    names = ", ".join(f"'{name}'" for name in allowed)
    return CheckConstraint(f"{column} IN ({names})", name=column)


def ended_in(ended: Iterable[str]) -> str:
    """Write the condition that a row has ended."""
    return "status IN (" + ", ".join(f"'{name}'" for name in sorted(ended)) + ")"


class Base(DeclarativeBase):
    """Base of all tables; its metadata fixes the names of constraints, for migrations."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime, dict[str, Any]: JSON, float: Real, str: Text}  # noqa: RUF012
