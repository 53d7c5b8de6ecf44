"""Choice of the content coding by the header Accept-Encoding (RFC 9110, section 12.5.3): gzip or none.

Text is compressed if the client accepts gzip. Media types that are compressed already, such as Parquet and PNG, stay
as they are, unless the client refuses answers that are not compressed.
"""

import math
import re
from collections.abc import Sequence

GZIP = "gzip"
# Parquet is not among them: gzip saves 6 % of its columns, which are compressed with zstd.
_TEXTS = frozenset(
    {"application/json", "application/problem+json", "application/x-ndjson", "image/svg+xml", "application/javascript"}
)
# An event stream is not compressed: its events must arrive at once.
_NEVER = frozenset({"text/event-stream"})
_CODING = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q\s*=\s*([\d.]*))?\s*")


def compressed_tag(tag: str) -> str:
    """Give the entity tag of the compressed form of an answer, whose bytes are others."""
    return f'{tag[:-1]}-{GZIP}"'


def may_vary(media_type: str) -> bool:
    """Whether answers of a media type depend on Accept-Encoding."""
    return media_type not in _NEVER


def takes_gzip(accept_encoding: Sequence[str], media_type: str) -> bool:
    """Decide whether an answer is compressed, by the values of the header and the media type without parameters."""
    weights = _weights(",".join(accept_encoding))
    gzip = weights.get(GZIP, weights.get("x-gzip", weights.get("*", 0.0)))
    identity = weights.get("identity", weights.get("*", 1.0))
    if not gzip or media_type in _NEVER:
        return False
    if not identity:
        return True
    is_text = media_type.startswith("text/") or media_type in _TEXTS
    # Without a weight of its own, identity is what remains, and not preferred to anything.
    return is_text and ("identity" not in weights or gzip >= identity)


def _weights(header: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for element in header.lower().split(","):
        if match := _CODING.fullmatch(element):
            found[match[1]] = _weight(match[2])
    return found


def _weight(written: str | None) -> float:
    if written is None:
        return 1.0
    try:
        weight = float(written)
    except ValueError:
        return 0.0
    return weight if math.isfinite(weight) and 0 <= weight <= 1 else 0.0
