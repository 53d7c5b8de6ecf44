"""Media types of datasets: names, endings of files, and how each is recognised."""

from service.errors import Rejected

CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
NPZ, TEXT = "application/x-npz", "text/plain"
MEDIA_TYPES = (CSV, PARQUET, NPZ, TEXT)

ENDINGS = {
    ".csv": CSV,
    ".tsv": CSV,
    ".parquet": PARQUET,
    ".npz": NPZ,
    ".txt": TEXT,
}
_ALIASES = {
    "application/csv": CSV,
    "text/tab-separated-values": CSV,
    "application/parquet": PARQUET,
    "application/x-parquet": PARQUET,
    "application/npz": NPZ,
}
# Sent by programs that do not know what they send.
_UNKNOWN = ("", "application/octet-stream", "application/x-www-form-urlencoded")
# The parameter of RFC 4180, part of the stored type: the same bytes without a header are another table.
HEADER_PRESENT, HEADER_ABSENT = "header=present", "header=absent"


def media_type_of(content_type: str, name: str) -> str:
    """Read the header Content-Type; without a type, the ending of the dataset's name decides.

    Returns:
        One of ``MEDIA_TYPES``. A CSV may have ``;header=present`` or ``;header=absent``.

    Raises:
        Rejected: The type is not one of a dataset.
    """
    written, *parameters = (part.strip().lower() for part in content_type.split(";"))
    media_type = _ALIASES.get(written, written)
    if media_type in _UNKNOWN:
        media_type = next((known for ending, known in ENDINGS.items() if name.lower().endswith(ending)), written)
    if media_type not in MEDIA_TYPES:
        raise Rejected.at(
            "header",
            "Content-Type",
            f"a dataset is one of {', '.join(MEDIA_TYPES)}, not {written or 'without a type'}: send the header "
            f"Content-Type, or a name that ends with {', '.join(ENDINGS)}",
        )
    if media_type == CSV and (given := {HEADER_PRESENT, HEADER_ABSENT} & set(parameters)):
        return f"{CSV};{given.pop()}"
    return media_type
