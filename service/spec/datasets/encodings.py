"""Encodings of text files: UTF-8, UTF-16 and UTF-32 with a byte order mark, UTF-16 without one, else Windows-1252.

Windows-1252 is Latin-1 with letters in place of 32 control characters.
"""

import codecs

from service.spec.datasets.unreadable import unreadable

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 4_096
# Half of the bytes of Latin letters in UTF-16 are zero, all in even or all in odd places.
_SHARE_OF_ZEROS = 0.3
_FORMATS = {b"PAR1": "a Parquet file", b"PK\x03\x04": "a zip, such as .npz or .xlsx", b"\x1f\x8b": "compressed by gzip"}


def as_utf8(data: bytes) -> bytes:
    """Give a text in UTF-8, without a byte order mark.

    Raises:
        Rejected: The bytes are not a text.
    """
    for magic, what in _FORMATS.items():
        if data.startswith(magic):
            raise unreadable(f"this is {what}, not a text: send the text itself, or the right Content-Type")
    found = _named_encoding(data)
    if found is not None:
        try:
            data = data.decode(found).removeprefix("\ufeff").encode()
        except UnicodeError as error:
            start = error.start if isinstance(error, UnicodeDecodeError) else 0
            line = data[:start].count(b"\n") + 1
            raise unreadable(f"byte {start + 1:,} of the file is not {found.upper()}", line) from error
    elif not data.isascii():
        data = _decoded(data).encode()
    if (zero := data.find(b"\0")) >= 0:
        raise unreadable("there is a zero byte: this is not a text", data[:zero].count(b"\n") + 1)
    return data


def _named_encoding(data: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    sample = data[:_SAMPLE_BYTES]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if sample[first::2].count(0) > _SHARE_OF_ZEROS * len(sample) and not sample[1 - first :: 2].count(0):
            return encoding
    return None


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        try:
            return data.decode("cp1252")
        except UnicodeDecodeError:
            return data.decode("latin-1")
