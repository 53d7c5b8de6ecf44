"""Conditional requests: entity tags and If-None-Match (RFC 9110, sections 8.8.3 and 13.1.2).

A route that knows its tag before it computes the answer calls ``not_modified`` first and adds ``tag_headers`` to the
answer. A route that has the body already calls ``answer_with_tag``.
"""

import re
from hashlib import blake2b

from fastapi import Request, Response

from service.api.http.encodings import compressed_tag

_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')


def tag_of(content: str | bytes) -> str:
    """Make the entity tag of a content, or of a text that changes whenever the content does."""
    data = content.encode() if isinstance(content, str) else content
    return f'"{blake2b(data, digest_size=12).hexdigest()}"'


def tag_headers(tag: str) -> dict[str, str]:
    """Give the headers of an answer with a tag: the browser may keep it and must revalidate it."""
    return {"ETag": tag, "Cache-Control": "private, no-cache"}


def not_modified(request: Request, tag: str) -> Response | None:
    """Give the answer 304 if the client has the content with this tag, compressed or not, else None."""
    one = known_tag(",".join(request.headers.getlist("if-none-match")), tag)
    return None if one is None else Response(status_code=304, headers=tag_headers(one))


def known_tag(known: str, tag: str) -> str | None:
    """Find the tag of a content, compressed or not, in the value of If-None-Match; None if it is not there."""
    if not known:
        return None
    # Tags are compared weakly, as RFC 9110 requires for If-None-Match: ``W/`` is ignored; ``*`` matches every tag.
    tags = [tag] if known.strip() == "*" else _ENTITY_TAG.findall(known)
    for one in (tag, compressed_tag(tag)):
        if one in tags:
            return one
    return None


def answer_with_tag(request: Request, body: bytes, tag: str, media_type: str) -> Response:
    """Answer a body with its tag, or 304 without a body if the client has it."""
    return not_modified(request, tag) or Response(body, headers=tag_headers(tag), media_type=media_type)
