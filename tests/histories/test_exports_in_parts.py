"""Exports of ended jobs over HTTP: equal bytes at each request, ranges, continued downloads, compressed answers."""

import gzip
import io
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from pyarrow import PythonFile, parquet

from service.database.connection import Database
from tests.servers import Api, Broker
from tests.stored import Stored

PLAIN = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "gzip"}
FORMATS = ("csv", "ndjson", "parquet")


@pytest.fixture(scope="module")
def api(new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with Api(new_database("sqlite"), broker.new_url(), tmp_path_factory.mktemp("parts")) as running:
        yield running


@pytest.fixture(scope="module")
def stored(api: Api) -> Iterator[Stored]:
    """A job that has ended, with 18,006 rows."""
    with closing(Database(api.database_url)) as database:
        stored = Stored(database, epochs=3_000)
        stored.finish()
        yield stored


@pytest.fixture
def http(api: Api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.url, timeout=30.0, trust_env=False) as client:
        yield client


def metrics(stored: Stored, format_name: str) -> str:
    return f"/v1/jobs/{stored.id}/metrics?format={format_name}"


class RangedFile(io.RawIOBase):
    """A file at an address, read by ranges only, as pyarrow reads files of object stores."""

    def __init__(self, client: httpx.Client, path: str) -> None:
        self._client, self._path, self._at = client, path, 0
        self._length = int(client.head(path).headers["content-length"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._length if size < 0 else min(self._length, self._at + size)
        if end <= self._at:
            return b""
        answer = self._client.get(self._path, headers={"Range": f"bytes={self._at}-{end - 1}"})
        assert answer.status_code == 206
        self._at = end
        return answer.content


@pytest.mark.slow
@pytest.mark.parametrize("format_name", FORMATS)
def test_ranges_are_parts_of_the_whole_file(http: httpx.Client, stored: Stored, format_name: str) -> None:
    for path in (metrics(stored, format_name), f"/v1/jobs/{stored.id}/runs?format={format_name}"):
        # Streamed while it is made; the ranges are of a file made separately.
        whole = http.get(path, headers=PLAIN)
        length = len(whole.content)
        head = http.head(path, headers=PLAIN)
        assert head.headers["content-length"] == str(length)
        for name in ("etag", "accept-ranges", "content-type", "content-disposition", "last-event-id"):
            assert head.headers.get(name) == whole.headers.get(name)
        for first, end in ((0, 4), (length // 3, length // 2), (length - 8, length)):
            part = http.get(path, headers={"Range": f"bytes={first}-{end - 1}", "If-Range": whole.headers["etag"]})
            assert part.status_code == 206
            assert part.content == whole.content[first:end]
            assert part.headers["content-range"] == f"bytes {first}-{end - 1}/{length}"
        assert http.get(path, headers={"Range": f"bytes={length}-"}).status_code == 416
        assert http.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


def test_a_reader_of_parquet_reads_the_columns_that_it_needs(http: httpx.Client, stored: Stored) -> None:
    with parquet.ParquetFile(PythonFile(RangedFile(http, metrics(stored, "parquet")), mode="r")) as file:
        epochs = file.read(["epoch"])["epoch"].to_pylist()
    assert epochs == [epoch for _, epoch in stored.rows()]


def test_curl_continues_a_download(api: Api, http: httpx.Client, stored: Stored, tmp_path: Path) -> None:
    whole = http.get(metrics(stored, "csv")).content
    for options in ([], ["--compressed"]):
        file = tmp_path / "history.csv"
        file.write_bytes(whole[:100_000])
        curl(*options, "-C", "-", "-o", str(file), f"{api.url}{metrics(stored, 'csv')}")
        assert file.read_bytes() == whole
    assert curl("-r", "0-5", f"{api.url}{metrics(stored, 'csv')}") == b"run_id"


@pytest.mark.slow
def test_curl_reads_compressed_answers(api: Api, http: httpx.Client, stored: Stored) -> None:
    for path in (metrics(stored, "csv"), f"/v1/jobs/{stored.id}/metrics?max_points=2000", "/v1/optimizers"):
        assert curl("--compressed", f"{api.url}{path}") == http.get(path, headers=PLAIN).content


def curl(*arguments: str) -> bytes:
    return subprocess.run(["curl", "-sf", "--noproxy", "*", *arguments], stdout=subprocess.PIPE, check=True).stdout


def test_text_is_compressed_and_parquet_is_not(api: Api, stored: Stored) -> None:
    sizes = {}
    for format_name in FORMATS:
        url = f"{api.url}{metrics(stored, format_name)}"
        with httpx.stream("GET", url, headers=GZIP, trust_env=False) as answer:
            body = b"".join(answer.iter_raw())
        plain = httpx.get(url, headers=PLAIN, trust_env=False)
        assert "Accept-Encoding" in answer.headers["vary"]
        assert "Accept" in answer.headers["vary"].split(", ")
        is_compressed = answer.headers.get("content-encoding") == "gzip"
        assert (gzip.decompress(body) if is_compressed else body) == plain.content
        assert is_compressed == (answer.headers["etag"] != plain.headers["etag"]) == (format_name != "parquet")
        sizes[format_name] = len(body) / len(plain.content)
    assert sizes["parquet"] == 1
    assert max(sizes["csv"], sizes["ndjson"]) < 0.35
    # Unless the client takes nothing else.
    only = httpx.get(
        f"{api.url}{metrics(stored, 'parquet')}", headers={"Accept-Encoding": "gzip, *;q=0"}, trust_env=False
    )
    assert only.headers["content-encoding"] == "gzip"
    assert parquet.read_table(io.BytesIO(only.content)).num_rows == 18_006


def test_a_job_that_still_runs_has_no_ranges(api: Api, http: httpx.Client) -> None:
    with closing(Database(api.database_url)) as database:
        running = Stored(database)
        running.store(0, 3)
        for path in (metrics(running, "csv"), f"/v1/jobs/{running.id}/runs?format=csv"):
            answer = http.get(path, headers={"Range": "bytes=0-5"})
            assert answer.status_code == 200
            assert answer.content.startswith((b"run_id,label", b"id,job_id"))
            assert not {"accept-ranges", "etag"} & set(answer.headers)
            assert http.head(path).status_code == 200
        running.finish()


def test_a_deleted_job_has_no_file_left(api: Api, http: httpx.Client) -> None:
    with closing(Database(api.database_url)) as database:
        stored = Stored(database)
        stored.finish()
    part = {"Range": "bytes=0-5"}
    assert http.get(metrics(stored, "csv"), headers=part).status_code == 206
    http.delete(f"/v1/jobs/{stored.id}").raise_for_status()
    assert http.get(metrics(stored, "csv"), headers=part).status_code == 404


def test_events_are_not_compressed_nor_delayed(http: httpx.Client, stored: Stored) -> None:
    with http.stream("GET", f"/v1/jobs/{stored.id}/events?fields=loss", headers=GZIP) as answer:
        assert "content-encoding" not in answer.headers
        first = next(answer.iter_raw())
    assert first == b"retry: 1000\n\n"
