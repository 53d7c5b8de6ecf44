"""Choice of the coding by the header Accept-Encoding."""

import pytest

from service.api.http.encodings import takes_gzip

TEXT, PARQUET = "text/csv", "application/vnd.apache.parquet"


@pytest.mark.parametrize(
    "header",
    ["gzip", "GZIP", "x-gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.1", "*", "deflate, *;q=0.5", "gzip;q=1.0",
     "identity;q=0.5, gzip", "gzip, identity", " gzip ; q = 0.5 "],
)  # fmt: skip
def test_text_is_compressed_if_gzip_is_accepted(header: str) -> None:
    assert takes_gzip([header], TEXT)
    assert not takes_gzip([header], PARQUET)
    assert not takes_gzip([header], "text/event-stream")


@pytest.mark.parametrize(
    "header",
    ["", "identity", "br, deflate", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzip;q=0.5, identity", "gzip;q=2",
     "gzip;q=x", "gzip;q=nan", "gzipped", "identity;q=0"],
)  # fmt: skip
def test_text_is_not_compressed_otherwise(header: str) -> None:
    assert not takes_gzip([header], TEXT)


def test_all_is_compressed_for_a_client_that_accepts_nothing_else() -> None:
    for header in ("gzip, identity;q=0", "gzip;q=0.1, *;q=0"):
        assert takes_gzip([header], PARQUET)
        assert takes_gzip([header], TEXT)
        assert not takes_gzip([header], "text/event-stream")


def test_repeated_headers_are_one_list() -> None:
    assert takes_gzip(["br", "gzip"], TEXT)
    assert not takes_gzip([], TEXT)
