"""Lines of CSV (RFC 4180), plain or for spreadsheet programs.

A spreadsheet program runs a cell as a formula if the cell begins with ``=``, ``+``, ``-``, ``@``, tab or carriage
return, also in quotes. For such programs an apostrophe precedes these texts (OWASP: CSV Injection), and the file begins
with a byte order mark, without which Excel does not read UTF-8. Numbers are never changed.
"""

import csv
import io
from collections.abc import Iterable

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


def csv_line(values: Iterable[object]) -> str:
    """Write one line without its end, with quotes where CSV requires them."""
    buffer = io.StringIO()
    # csv.writer quotes CR and LF only where they are part of the end of a line.
    csv.writer(buffer, lineterminator="\r\n").writerow(values)
    return buffer.getvalue()[:-2]


def guarded(value: object) -> object:
    """Give a cell that a spreadsheet program shows as it is; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_RUN_BY_SPREADSHEETS) else value
