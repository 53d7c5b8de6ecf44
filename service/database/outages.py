"""Reasons for an unavailable database, in words for clients."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.database.dialects.known import DIALECTS


def why_unavailable(error: SQLAlchemyError) -> str | None:
    """Give the reason why the database is unavailable; None if it is available and rejected the statement.

    The messages of the driver are only logged, because they may contain names of hosts, users and files.
    """
    if isinstance(error, PoolTimeout):
        return "has no connection free"
    if not isinstance(error, DBAPIError):
        return None
    if error.connection_invalidated:
        return "closed the connection"
    for dialect in DIALECTS.values():
        if error.orig is not None and dialect.has_raised(error.orig):
            return dialect.reason(error.orig)
    # An error without a code: the driver could not connect.
    return "cannot be reached" if isinstance(error, OperationalError | InterfaceError) else None
