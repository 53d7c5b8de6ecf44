"""Answers that are files which never change: as a whole, or in parts by the header Range."""

from collections.abc import Callable, Iterator

from fastapi import Request, Response

from service.api.http.byte_ranges import part_of, requested_range
from service.api.http.conditional import not_modified, tag_headers
from service.api.http.encodings import takes_gzip
from service.api.http.spool import Spool
from service.api.turns.streams import Pieces

Make = Callable[[], Iterator[bytes]]


def answer_file(
    request: Request, make: Make, tag: str, content_type: str, headers: dict[str, str]
) -> Response | Pieces:
    """Answer a file whose bytes are the same whenever it is made: as a whole, as a range, or its length for HEAD.

    The whole file is streamed while it is made. For a range and for a length it is made first, and kept in the spool
    for the next request. If it does not fit there, it is made again for each range, up to the end of the range.

    Raises:
        RangeNotSatisfiable: The file has none of the bytes of the range.
    """
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged
    headers = {**headers, **tag_headers(tag), "Accept-Ranges": "bytes"}
    spool: Spool = request.app.state.spool
    accepted = request.headers.getlist("accept-encoding")
    # A range is one of the bytes that are not compressed. A client that refuses these gets the whole file.
    is_head = getattr(request.state, "is_head", False)
    wanted = None if is_head or takes_gzip(accepted, "") else requested_range(request, tag)
    needs_length = is_head and not takes_gzip(accepted, content_type.partition(";")[0])
    file = spool.find_or_make(tag, make) if wanted is not None or needs_length else spool.find(tag)
    if file is None:
        return Pieces(make(), content_type, headers)
    first, end, status = 0, file.length, 200
    if wanted is not None:
        first, end = wanted.within(file.length)
        status = 206
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{file.length}"
    headers["Content-Length"] = str(end - first)
    if is_head:
        return Response(headers=headers, media_type=content_type)
    pieces = file.read(first, end) if file.has_bytes else part_of(make(), first, end)
    return Pieces(pieces, content_type, headers, status)
