"""Column types of all tables: keys, times in UTC and floating-point numbers; ``Base`` names the constraints."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, DateTime, Float, Integer, MetaData, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, UserDefinedType


class UTCDateTime(TypeDecorator[datetime]):
    """A time in UTC with its time zone, which SQLite does not store: it is removed on writing and added on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read as a time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite generates keys only for columns of type INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")


class AsGiven(UserDefinedType[float]):
    """A column of SQLite that does not convert numbers: a column of type FLOAT would convert −0.0 to 0.

    It is SQLite's own name for no affinity ("Datatypes In SQLite", section 3.1); what is in it are numbers.
    """

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name the type in a CREATE TABLE."""
        return "BLOB"


# Eight bytes. On SQLite a NaN, which it would store as NULL, is kept as the text 'NaN': it sorts above all numbers,
# as on PostgreSQL, and is what the API writes anyway (see dialects/sqlite.py).
Real = Float(53).with_variant(AsGiven(), "sqlite")


def one_of(column: str, allowed: Iterable[str]) -> CheckConstraint:
    """Let a column hold these words and no others."""
    names = ", ".join(f"'{name}'" for name in allowed)
    return CheckConstraint(f"{column} IN ({names})", name=column)


def ended_in(ended: Iterable[str]) -> str:
    """Write the condition that a row has ended."""
    return "status IN (" + ", ".join(f"'{name}'" for name in sorted(ended)) + ")"


class Base(DeclarativeBase):
    """Base of all tables; constraints have names, to which migrations can refer."""

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
