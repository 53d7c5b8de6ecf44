"""Files of the page: all from this server, no inline scripts, no mixed versions."""

import gzip
import re

import httpx
import pytest

from service.api.page_files import digest, files
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


def test_the_document_names_all_modules_of_its_view_and_no_module_that_is_loaded_later(client: httpx.Client) -> None:
    def named(path: str) -> set[str]:
        return set(re.findall(r'"modulepreload" href="/page/[0-9a-f]+/([^"]+)"', client.get(path).text))

    race = named("/")
    assert {"race/view.js", "race/race.js", "engine/program.js", "api.js"} <= race
    assert not {"race/space.js", "race/balls.js", "train/view.js"} & race
    assert race <= set(files())
    assert {"jobs/view.js", "jobs/list.js"} <= named("/jobs/none/runs/1")


def test_the_style_sheets_are_loaded_as_one(client: httpx.Client) -> None:
    sheets = [content for name, content in files().items() if name.startswith("styles/")]
    together = client.get(f"/page/{digest()}/styles.css").content
    assert len(together) == sum(len(one) + 1 for one in sheets) - 1
    assert all(one in together for one in sheets)


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
