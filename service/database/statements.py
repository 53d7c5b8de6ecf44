"""SQL that the two databases write differently: the clock, spans of time, searched and sorted texts, upserts, locks."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, ClauseElement, ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import InternalTraversal

from service.database.columns import Base, UTCDateTime
from service.database.dialects.dialect import Dialect
from service.database.dialects.known import DIALECTS, dialect_of


class seconds_from_now(ColumnElement[datetime]):  # noqa: N801  (used like an SQL function)
    """The clock of the database, some seconds ahead: leases never depend on a worker's clock."""

    # The seconds are part of the statement, so the cache of compiled statements distinguishes them.
    inherit_cache = True
    _traverse_internals = [("seconds", InternalTraversal.dp_plain_obj)]  # noqa: RUF012

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = float(seconds)
        self.type = UTCDateTime()


@compiles(seconds_from_now)
def _now(element: seconds_from_now, compiler: SQLCompiler, **_: Any) -> str:
    return DIALECTS[compiler.dialect.name].now(element.seconds)


class contains(FunctionElement[bool]):  # noqa: N801  (used like an SQL function)
    """Whether a column contains a text, compared byte by byte: ``contains(Job.name_folded, "adam")``."""

    type = Boolean()
    inherit_cache = True


class by_code_point(FunctionElement[str]):  # noqa: N801  (used like an SQL function)
    """A text that both databases compare and sort alike: ``by_code_point(Job.name_folded)``."""

    type = String()
    inherit_cache = True


class milliseconds_between(FunctionElement[int]):  # noqa: N801  (used like an SQL function)
    """Whole milliseconds from one time to another; null where one is: ``milliseconds_between(begun, ended)``."""

    type = BigInteger()
    inherit_cache = True


def _in_dialect(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    """Write an element with the method of the dialect that has its name."""
    arguments = (compiler.process(clause, **options) for clause in element.clauses)
    written: str = getattr(DIALECTS[compiler.dialect.name], type(element).__name__)(*arguments)
    return written


for _element in (contains, by_code_point, milliseconds_between):
    compiles(_element)(_in_dialect)


def upsert(
    session: Session,
    table: type[Base],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Collection[str],
    add: Collection[str] = (),
) -> None:
    """Insert rows. Where a row of the same key exists, replace its other columns, or add to those named in ``add``."""
    clauses = {name: value for name, value in rows[0].items() if isinstance(value, ClauseElement)}
    statement = _upsert(dialect_of(session), table, tuple(rows[0]), tuple(key), tuple(add))
    if clauses:
        statement = statement.values(clauses)
    session.execute(statement, [{name: row[name] for name in row if name not in clauses} for row in rows])


@cache
def _upsert(
    dialect: Dialect, table: type[Base], names: tuple[str, ...], key: tuple[str, ...], add: tuple[str, ...]
) -> Any:
    """Build the statement once, of the table instead of the class: both take longer than running it."""
    columns = table.metadata.tables[table.__tablename__]
    new = dialect.insert(columns)
    changes = {
        name: columns.c[name] + new.excluded[name] if name in add else new.excluded[name]
        for name in names
        if name not in key
    }
    return new.on_conflict_do_update(index_elements=list(key), set_=changes)


def add_missing(session: Session, table: type[Base], row: Mapping[str, Any]) -> None:
    """Insert a row, unless there is one of the same key."""
    session.execute(dialect_of(session).insert(table).values(row).on_conflict_do_nothing())


def lock(session: Session, name: str) -> None:
    """Wait until no other transaction holds the lock of this name, and hold it until this transaction ends."""
    dialect_of(session).lock(session, name)
