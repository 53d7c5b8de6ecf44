"""Files in parts: ranges, lengths, versions, and how often a file is made for them; on an application of its own."""

import asyncio
from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from service.api.doors.head_requests import HeadRequests
from service.api.http.compression import Compression
from service.api.http.conditional import tag_of
from service.api.http.files import answer_file
from service.api.http.problem_details import answer_errors
from service.api.http.spool import Spool
from service.api.turns.work import Work
from service.settings import Settings

CONTENT = b"".join(b"%05d\n" % number for number in range(5_000))
TAG = tag_of("content")
PLAIN = {"Accept-Encoding": "identity"}


class Served:
    """A file at ``/``, of a media type, with a spool."""

    def __init__(self, max_bytes: int, media_type: str) -> None:
        self.num_made = 0
        self.spool = Spool(max_bytes, keep_seconds=60)
        app = FastAPI()
        app.state.spool = self.spool
        answer_errors(app)
        app.add_middleware(Compression)
        app.add_middleware(HeadRequests)

        @app.get("/")
        async def _get(request: Request) -> Response:
            make = partial(answer_file, request, self._make, TAG, media_type, {"Vary": "Accept"})
            return await Work(Settings()).streams.answer(request, "key", make)

        self._app = app

    def _make(self) -> Iterator[bytes]:
        self.num_made += 1
        yield from (CONTENT[at : at + 1_000] for at in range(0, len(CONTENT), 1_000))

    def get(self, method: str = "GET", **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://test") as client:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.request(method, "/", headers=PLAIN | named)

        return asyncio.run(send())


@pytest.fixture(params=[1_000_000, 2_500], ids=["in the spool", "larger than the spool"])
def served(request: pytest.FixtureRequest) -> Served:
    return Served(request.param, "application/vnd.apache.parquet")


@pytest.mark.parametrize(
    ("header", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=999-1000", 999, 1_001),
        ("bytes=17777-", 17_777, 30_000),
        ("bytes=29999-99999999", 29_999, 30_000),
        ("bytes=-8", 29_992, 30_000),
        ("bytes=-99999999", 0, 30_000),
        ("Bytes=5-6", 5, 7),
    ],
)
def test_a_range_is_answered_with_its_bytes(served: Served, header: str, first: int, end: int) -> None:
    answer = served.get(Range=header)
    assert answer.status_code == 206
    assert answer.content == CONTENT[first:end]
    assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/30000"
    assert answer.headers["content-length"] == str(end - first)
    assert answer.headers["etag"] == TAG
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("header", ["bytes=30000-", "bytes=30000-40000", "bytes=-0", f"bytes={10**17}-"])
def test_a_range_behind_the_end_is_416_with_the_length(served: Served, header: str) -> None:
    answer = served.get(Range=header)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */30000"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header", ["bytes=5-2", "bytes=-", "bytes=a-b", "bytes=0-1,4-5", "lines=0-1", "bytes", "bytes=" + "9" * 5_000 + "-"]
)
def test_other_ranges_are_answered_with_the_whole_file(served: Served, header: str) -> None:
    answer = served.get(Range=header)
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["accept-ranges"] == "bytes"


def test_a_range_of_another_version_is_the_whole_file(served: Served) -> None:
    assert served.get(Range="bytes=0-9", If_Range=TAG).status_code == 206
    for other in ('"other"', f"W/{TAG}", f'{TAG[:-1]}-gzip"', "Wed, 21 Oct 2015 07:28:00 GMT"):
        answer = served.get(Range="bytes=0-9", If_Range=other)
        assert (answer.status_code, answer.content) == (200, CONTENT), other
    assert served.get(Range="bytes=0-9", If_None_Match=TAG).status_code == 304


def test_head_gives_the_length_and_ignores_ranges(served: Served) -> None:
    for headers in ({}, {"Range": "bytes=0-9"}):
        answer = served.get("HEAD", **headers)
        assert answer.status_code == 200
        assert answer.headers["content-length"] == "30000"
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.content == b""
    assert served.num_made == 1


def test_a_file_that_fits_is_made_once_for_all_its_ranges() -> None:
    served = Served(1_000_000, "text/csv")
    parts = [served.get(Range=f"bytes={at}-{at + 2_999}").content for at in range(0, 30_000, 3_000)]
    assert b"".join(parts) == CONTENT
    # It is used for the whole file too, which then has a length.
    assert served.get().headers["content-length"] == "30000"
    assert served.num_made == 1
    assert served.spool.num_bytes == 30_000


def test_a_whole_file_is_streamed_and_not_kept() -> None:
    served = Served(1_000_000, "text/csv")
    answer = served.get()
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert "content-length" not in answer.headers
    assert served.spool.num_bytes == 0


def test_a_range_is_never_compressed_and_the_whole_file_is() -> None:
    served = Served(1_000_000, "text/csv")
    part = served.get(Range="bytes=0-19999", Accept_Encoding="gzip")
    assert part.status_code == 206
    assert part.content == CONTENT[:20_000]
    assert "content-encoding" not in part.headers
    whole = served.get(Accept_Encoding="gzip")
    assert whole.headers["content-encoding"] == "gzip"
    assert whole.content == CONTENT
    assert whole.headers["etag"] == f'{TAG[:-1]}-gzip"'
    assert whole.headers["vary"] == "Accept, Accept-Encoding"
    # A range continues bytes that are not compressed.
    assert "accept-ranges" not in whole.headers
    known = served.get(If_None_Match=whole.headers["etag"], Accept_Encoding="gzip")
    assert (known.status_code, known.headers["etag"]) == (304, whole.headers["etag"])
    # A client that refuses bytes that are not compressed gets no range of them.
    only = served.get(Range="bytes=0-9", Accept_Encoding="gzip, identity;q=0")
    assert (only.status_code, only.headers["content-encoding"], only.content) == (200, "gzip", CONTENT)
