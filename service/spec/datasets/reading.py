"""Reading of files as tables, by media type. The table depends on the bytes and the media type alone."""

from service.spec.datasets.encodings import as_utf8
from service.spec.datasets.media import CSV, NPZ, PARQUET
from service.spec.datasets.table import Table
from service.spec.datasets.unreadable import unreadable


def read(data: bytes, media_type: str) -> Table:
    """Read a file.

    Args:
        data: The file.
        media_type: As ``media_type_of`` gives it.

    Raises:
        Rejected: The file cannot be read, or exceeds a limit.
    """
    if not data:
        raise unreadable("the file is empty")
    # Each reader imports its own part of pyarrow.
    match media_type.partition(";")[0]:
        case media if media == CSV:
            from service.spec.datasets.csv_table import read_csv

            return read_csv(data, media_type)
        case media if media == PARQUET:
            from service.spec.datasets.parquet_table import read_parquet

            return read_parquet(data)
        case media if media == NPZ:
            from service.spec.datasets.npz_arrays import read_npz

            return read_npz(data)
    text = as_utf8(data).decode().replace("\r\n", "\n").replace("\r", "\n")
    if not text:
        raise unreadable("the text is empty")
    return Table((), text)
