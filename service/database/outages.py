"""Reasons why the database cannot be used, in words that a client may read."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.database.dialects.known import DIALECTS


def is_full(error: SQLAlchemyError) -> bool:
    """Whether the disk of the database is full."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    return cause is not None and any(dialect.is_full(cause) for dialect in DIALECTS.values())


def why_unavailable(error: SQLAlchemyError) -> str | None:
    """Return the reason why the database cannot be used; None if it works and has rejected the statement.

    The words of the driver stay in the log: they may name hosts, users and files.
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
    # An error without a code: the driver has no connection.
    return "cannot be reached" if isinstance(error, OperationalError | InterfaceError) else None
