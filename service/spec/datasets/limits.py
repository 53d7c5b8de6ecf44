"""Limits of the size of a decoded dataset. They bound time and memory before anything is decoded."""

from service.spec.datasets.unreadable import unreadable

MAX_COLUMNS = 10_000
# Values of all columns, or pixels: 256 MiB of numbers. A CSV of 64 MiB has at most so many cells of one digit.
MAX_VALUES = 2**25


def require_columns(num_columns: int) -> None:
    """Check the number of columns; raises Rejected."""
    if num_columns > MAX_COLUMNS:
        raise unreadable(f"the file has {num_columns:,} columns; at most {MAX_COLUMNS:,} are allowed")


def require_values(num_rows: int, num_columns: int) -> None:
    """Check the number of values; raises Rejected."""
    if num_rows * num_columns > MAX_VALUES:
        raise unreadable(
            f"the file has {num_rows:,} rows × {num_columns:,} columns; at most {MAX_VALUES:,} values are allowed"
        )
