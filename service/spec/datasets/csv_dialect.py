"""The dialect of a CSV, found in its first rows: delimiter, header, and the names of the columns.

* Delimiter: of comma, semicolon, tab and bar the one that splits most rows into the same number of cells; then the
  one with most numbers among the cells, then the one with most cells. A first line such as `sep=;` names it, as
  spreadsheets write and read it.
* Header: the first row has the names, unless every cell of it above a column of numbers is a number too. Consecutive
  integers above numbers are names nevertheless: 0, 1, 2, … are the names of a frame of pandas without names.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from service.spec.datasets.limits import require_columns
from service.spec.datasets.media import HEADER_ABSENT, HEADER_PRESENT
from service.spec.datasets.unreadable import unreadable

MISSING = ("", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "NULL", "null")
_DELIMITERS = (",", ";", "\t", "|")
_NAMED_DELIMITER = re.compile(rb'"?sep=([,;\t|])"?(?=[\r\n])', re.IGNORECASE)
# The first row must fit; of the others 100 are enough.
SAMPLE_BYTES = 1 << 20
_SAMPLE_ROWS = 100
# Cells in which the numbers are counted.
_SAMPLE_CELLS = 10_000
Row = list[str]


@dataclass(frozen=True)
class Dialect:
    """How a CSV is written."""

    delimiter: str
    has_header: bool
    names: tuple[str, ...]
    # Of each column: whether its first rows have numbers only, with decimal points.
    are_numbers: tuple[bool, ...]


def named_delimiter(text: bytes) -> tuple[bytes, str | None]:
    """Give the delimiter that the first line names, and the text with that line empty: lines keep their numbers."""
    found = _NAMED_DELIMITER.match(text)
    return (text[found.end() :], found[1].decode()) if found else (text, None)


def find_dialect(text: bytes, media_type: str, delimiter: str | None = None) -> Dialect:
    """Find the dialect of a text in UTF-8, whose delimiter may be known.

    Raises:
        Rejected: There is no first row, it is too long, has too many columns, or names two columns alike.
    """
    sample = text[:SAMPLE_BYTES]
    if len(text) > SAMPLE_BYTES:
        end = max(sample.rfind(b"\n"), sample.rfind(b"\r"))
        if end < 0:
            raise unreadable(f"the line is longer than {SAMPLE_BYTES:,} bytes", 1)
        sample = sample[: end + 1]
    written = sample.decode("utf-8", "replace")
    if not written.strip():
        raise unreadable("the file is empty")
    possible = _DELIMITERS if delimiter is None else (delimiter,)
    rows, delimiter = max(((_first_rows(written, one), one) for one in possible), key=lambda one: _score(*one))
    require_columns(len(rows[0]))
    has_header = not media_type.endswith(HEADER_ABSENT)
    if has_header and not media_type.endswith(HEADER_PRESENT):
        has_header = not _is_data(rows, delimiter)
    values = rows[1:] if has_header else rows
    are_numbers = tuple(
        all(is_number(row[at], ",") or row[at] in MISSING for row in values if at < len(row))
        for at in range(len(rows[0]))
    )
    return Dialect(delimiter, has_header, _names(rows[0], has_header=has_header), are_numbers)


class OpenQuote(Exception):
    """The text ends inside quotes; the row that begins at ``line`` opened them."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def rows_of(text: str, delimiter: str, *, strict: bool = False) -> Iterator[tuple[int, Row]]:
    """Give the rows that are not empty, each with the number of its first line.

    Raises:
        OpenQuote: The text is read strictly, and ends inside quotes.
    """
    # The limit is that of the whole process.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise OpenQuote(line) from error
            if not strict:
                raise
            continue
        if row:
            yield line, row


def is_number(cell: str, delimiter: str) -> bool:
    """Whether a cell is a number; with a decimal comma, unless commas separate the cells."""
    cell = cell.strip()
    if delimiter != "," and "." not in cell:
        cell = cell.replace(",", ".")
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.isascii()


def _first_rows(text: str, delimiter: str) -> list[Row]:
    return [row for _, row in islice(rows_of(text, delimiter), _SAMPLE_ROWS)] or [[""]]


def _score(rows: list[Row], delimiter: str) -> tuple[float, ...]:
    (num_cells, times), *_ = Counter(map(len, rows)).most_common(1)
    if num_cells == 1:
        return (0.0, 0.0, 0.0)
    cells = list(islice((cell for row in rows for cell in row), _SAMPLE_CELLS))
    numbers = sum(is_number(cell, delimiter) or cell.strip() in MISSING for cell in cells)
    return times / len(rows), numbers / len(cells), num_cells


def _is_data(rows: list[Row], delimiter: str) -> bool:
    """Whether the first row has values like the others."""
    first, *others = rows
    if not others:
        return all(is_number(cell, delimiter) for cell in first)
    above = []
    for at, cell in enumerate(first):
        below = [row[at] for row in others if at < len(row) and row[at].strip() not in MISSING]
        if below and all(is_number(one, delimiter) for one in below):
            above.append(cell.strip())
    if not above or not all(is_number(cell, delimiter) for cell in above):
        return False
    # Two rows such as 1,2 and 3,4 are more likely data.
    are_integers = all(cell.isdecimal() for cell in above) and len(above) > (1 if above[0] == "0" else 2)
    return not (are_integers and all(int(one) + 1 == int(other) for one, other in pairwise(above)))


def _names(first: Row, *, has_header: bool) -> tuple[str, ...]:
    """Name the columns; one without a name by its place."""
    written = [cell.strip() if has_header else "" for cell in first]
    names = [name or f"column_{at + 1}" for at, name in enumerate(written)]
    places: dict[str, int] = {}
    for at, name in enumerate(names, 1):
        if name in places:
            raise unreadable(f"columns {places[name]:,} and {at:,} are both named {name!r}: rename one", 1, at)
        places[name] = at
    return tuple(names)
