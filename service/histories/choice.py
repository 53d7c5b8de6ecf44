"""Which format does a client want? ``?format=`` says it, else the header Accept does (RFC 9110, section 12.5.1)."""

from typing import Literal

Format = Literal["json", "csv", "ndjson", "parquet"]
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


def choose(accept: str, asked: Format | None) -> Format | None:
    """Choose a format: the one asked for, else the one the header Accept likes best, of several the first above.

    None where the header allows none of them. A header that is empty allows all.
    """
    if asked is not None:
        return asked
    if not accept.strip():
        return "json"
    weights = {name: _weight(accept.lower(), media_type) for name, media_type in MEDIA_TYPES.items()}
    best = max(weights, key=lambda name: weights[name])
    return best if weights[best] > 0 else None


def _weight(accept: str, media_type: str) -> float:
    """Give the weight of a media type; of the ranges that contain it, the most specific one counts."""
    found = (-1, 0.0)
    for part in accept.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        ranges = ("*/*", media_type.partition("/")[0] + "/*", media_type)
        if name in ranges:
            found = max(found, (ranges.index(name), _quality(parameters)))
    return found[1]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, float(value))
            except ValueError:
                return 1.0
    return 1.0
