"""Files of the page: all from this server, no inline scripts, no mixed versions."""

import gzip
import re

import httpx
import pytest

from service.api.page_files import digest
from service.api.routes.page import VIEWS
from service.findings.plots.style import _STYLES
from tests.page.conftest import on_one_stack

pytestmark = on_one_stack


def test_every_view_has_the_document_and_a_policy_without_inline_script(client: httpx.Client) -> None:
    for path in VIEWS:
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert answer.headers["cache-control"] == "no-cache"
        # Scripts are files of this server; no other host is named.
        assert re.findall(r"<script(?![^>]*\ssrc=)", answer.text) == []
        assert re.findall(r"(?:src|href)=\"(?:https?:)?//", answer.text) == []


def test_files_of_the_document_are_cached_without_a_limit(client: httpx.Client) -> None:
    names = re.findall(r"(?:src|href)=\"(/page/[^\"]+)\"", client.get("/").text)
    assert len(names) >= 6
    for name in names:
        answer = client.get(name)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_plotly_comes_from_its_package_and_compressed(client: httpx.Client) -> None:
    address = f"/page/{digest()}/plotly.min.js"
    with client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert len(body) < 2_000_000
    assert gzip.decompress(body)[:200].decode().startswith("/**\n* plotly.js")
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert plain.content == gzip.decompress(body)


def test_a_file_of_another_version_is_answered_but_not_cached(client: httpx.Client) -> None:
    answer = client.get("/page/0123456789abcdef/main.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fapp.py", "styles", "/etc/passwd"])
def test_only_files_of_the_page_are_served(client: httpx.Client, name: str) -> None:
    assert client.get(f"/page/{digest()}/{name}").status_code == 404


def test_optimizers_have_the_same_colours_and_dashes_as_in_the_pictures_of_the_server(client: httpx.Client) -> None:
    script = client.get(f"/page/{digest()}/palette.js").text
    found = re.findall(r"^  (\w+): \[\"(#\w+)\", \"(#\w+)\", \[([^\]]*)\]\],$", script, re.MULTILINE)
    styles = {
        name: (light, dark, tuple(float(part) for part in dash.split(",") if part)) for name, light, dark, dash in found
    }
    assert styles == {name: (light, dark, tuple(map(float, dash))) for name, (light, dark, dash) in _STYLES.items()}
    assert list(styles) == list(_STYLES)
