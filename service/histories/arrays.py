"""Rows of a run as JSON arrays, one per field; a position is an array of points."""

from collections.abc import Iterator, Sequence

from service.database.reading import MetricColumns
from service.histories.numbers import JSON, json_array, json_integers, texts


def arrays(rows: MetricColumns, first: int, last: int, fields: Sequence[str], dimension: int) -> Iterator[bytes]:
    """Write the rows from ``first`` to before ``last``; the columns are those of the fields, in their order.

    The field "epoch" has no column of its own.
    """
    at = 0
    for field in fields:
        if field == "epoch":
            yield json_integers(rows.epoch_N[first:last])
            continue
        width = dimension if field == "position" else 1
        here = range(at, at + width)
        columns = [(rows.values_CN[column, first:last], rows.null_CN[column, first:last]) for column in here]
        at += width
        if field == "position":
            points = zip(*(texts(values_N, null_N, JSON) for values_N, null_N in columns), strict=True)
            yield ("[" + ",".join(f"[{','.join(point)}]" for point in points) + "]").encode()
        else:
            yield json_array(*columns[0])


def named(fields: Sequence[str], written: Sequence[bytes]) -> bytes:
    """Write arrays as named members of a JSON object."""
    return b",".join(b'"' + field.encode() + b'":' + array for field, array in zip(fields, written, strict=True))
