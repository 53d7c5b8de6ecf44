"""Limits of an error answer: number of errors, length of texts quoted from the request, bytes.

A refused body of a few bytes for each invalid value would otherwise be answered with a much larger one.
"""

import json
from collections.abc import Sequence
from itertools import accumulate, takewhile
from typing import Any

MAX_ERRORS = 20
MAX_ANSWER_BYTES = 65_536
# The list of presets, the longest text of the service itself, has about 1,100 characters.
_MAX_TEXT = 2_000
# Longest name of a field or key in a location; names of the service are below 30.
_MAX_NAME = 100
# All errors together. The rest of an answer has at most three texts, each of at most 6 bytes per character.
_MAX_ERROR_BYTES = MAX_ANSWER_BYTES - 3 * 6 * _MAX_TEXT - 1_000


def shortened(text: str, limit: int = _MAX_TEXT) -> str:
    """Cut characters out of the middle of a long text, and say how many."""
    if len(text) <= limit:
        return text
    # With the words between them shorter than the limit, so that a shortened text stays as it is.
    first, last = limit // 2, limit // 8
    return f"{text[:first]}… ({len(text) - first - last:,} more characters) …{text[-last:]}"


def few(errors: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the first errors that fit into an answer, with long texts shortened."""
    kept = [
        {
            "loc": [shortened(part, _MAX_NAME) if isinstance(part, str) else part for part in error["loc"]],
            "msg": shortened(error["msg"]),
        }
        for error in errors[:MAX_ERRORS]
    ]
    sizes = accumulate(len(encoded(error)) for error in kept)
    # The first error always fits: its text has at most 6 × 2,000 bytes, and a location has about ten names.
    return kept[: max(1, sum(1 for _ in takewhile(lambda size: size <= _MAX_ERROR_BYTES, sizes)))]


def encoded(content: Any) -> bytes:
    """Write an error answer, or a part of it, as JSON."""
    # Text quoted from the request may hold half a surrogate pair, which UTF-8 cannot encode.
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")
