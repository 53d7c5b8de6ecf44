"""Writes from pages of other origins are refused on every route, and so are proxies in front of an API without keys."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import Api, Broker

SPEC: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 1}
KEY = "the key of the setting, of more than 32 characters"
OPEN = ("/v1/", "/metrics")
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "CROSS-SITE"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost"},
    {"Origin": "null"},
    {"Origin": "http://[::1"},
    {"Origin": ""},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
]
PROXIES = [
    {"Forwarded": "for=192.0.2.1"},
    {"X-Forwarded-For": "192.0.2.1"},
    {"X-Forwarded-Host": "ravine.example"},
    {"X-Forwarded-Proto": "https"},
]


@pytest.fixture(scope="module")
def api(
    new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """An API without workers and without keys, on SQLite."""
    with (
        Api(new_database("sqlite"), broker.new_url(), tmp_path_factory.mktemp("open")) as running,
        httpx.Client(base_url=running.url, timeout=30.0, trust_env=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def keyed(
    new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """The same with a key and an allowed name, and a client that sends the key."""
    env, headers = {"RAVINE_API_KEY": KEY, "RAVINE_ALLOWED_HOSTS": "Ravine.example"}, {"Authorization": f"Bearer {KEY}"}
    with (
        Api(new_database("sqlite"), broker.new_url(), tmp_path_factory.mktemp("keyed"), env=env) as running,
        httpx.Client(base_url=running.url, timeout=30.0, trust_env=False, headers=headers) as client,
    ):
        yield client


def operations(client: httpx.Client) -> list[tuple[str, str]]:
    """Every method and path of the OpenAPI document."""
    paths = client.get("/openapi.json").json()["paths"]
    return [(method.upper(), path.replace("{", "").replace("}", "")) for path, item in paths.items() for method in item]


def writes(client: httpx.Client) -> list[tuple[str, str]]:
    found = [(method, path) for method, path in operations(client) if method != "GET"]
    assert len(found) >= 6
    # Methods that no route has yet.
    return [*found, *((method, "/v1/jobs/x") for method in ("PUT", "PATCH", "POST", "PROPFIND")), ("POST", "/docs")]


def assert_refused(answer: httpx.Response, way_out: str) -> None:
    assert answer.status_code == 403, (answer.request.method, answer.request.url, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]
    assert way_out in answer.json()["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_every_write_of_a_foreign_page_is_refused_with_and_without_a_key(
    api: httpx.Client, keyed: httpx.Client, headers: dict[str, str]
) -> None:
    for client in (api, keyed):
        for method, path in writes(client):
            assert_refused(client.request(method, path, headers=headers), "RAVINE_ALLOWED_HOSTS")


def test_a_refused_write_stores_nothing(api: httpx.Client) -> None:
    before = api.get("/v1/jobs").json()["items"]
    for headers in FOREIGN:
        assert api.post("/v1/jobs", json=SPEC, headers=headers).status_code == 403
        assert api.post("/v1/lessons/parabola-sgd/jobs", headers=headers).status_code == 403
    assert api.get("/v1/jobs").json()["items"] == before
    assert api.get("/v1/lessons/parabola-sgd").json()["state"] == "not run"


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_page_gets_no_403_for_a_read(api: httpx.Client, headers: dict[str, str]) -> None:
    for method, path in operations(api):
        if method == "GET" and not path.endswith("/events"):
            assert api.get(path, headers=headers).status_code != 403, path


def test_writes_of_own_pages_and_of_clients_without_a_page_are_accepted(api: httpx.Client) -> None:
    port = api.base_url.port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "localhost"):
        own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        for headers in (own, own | {"Origin": f"HTTP://{host.upper()}"}, {"Host": host}):
            assert api.post("/v1/jobs", json=SPEC, headers=headers).status_code == 202, headers
    assert api.post("/v1/jobs", json=SPEC, headers={"Sec-Fetch-Site": "none"}).status_code == 202
    assert api.post("/v1/jobs", json=SPEC, headers={"Host": "localhost", "Origin": "http://localhost:80"}).is_success


def test_an_allowed_name_is_an_own_origin_behind_a_proxy(keyed: httpx.Client) -> None:
    for origin, status in (
        ("https://ravine.example", 202), ("https://RAVINE.example:8443", 202), ("https://x.ravine.example", 403),
        ("https://ravine.example.evil.example", 403),
    ):  # fmt: skip
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin", "X-Forwarded-For": "192.0.2.1"}
        assert keyed.post("/v1/jobs", json=SPEC, headers=headers).status_code == status, origin


def test_any_allowed_host_allows_no_foreign_origin(
    new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    with Api(new_database("sqlite"), broker.new_url(), tmp_path, env={"RAVINE_ALLOWED_HOSTS": "*"}) as running:
        for origin, status in (("http://ravine.example", 202), ("http://evil.example", 403)):
            headers = {"Host": "ravine.example", "Origin": origin}
            answer = httpx.post(f"{running.url}/v1/jobs", json=SPEC, headers=headers, trust_env=False)
            assert answer.status_code == status, origin


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("headers", PROXIES, ids=str)
def test_an_api_without_keys_is_not_published_by_a_proxy(
    api: httpx.Client, keyed: httpx.Client, headers: dict[str, str]
) -> None:
    guarded = [(method, path) for method, path in operations(api) if path.startswith(OPEN)]
    assert len(guarded) > 25
    for method, path in guarded:
        assert_refused(api.request(method, path, headers=headers), "ravine keys create")
    assert api.get("/healthz", headers=headers).status_code == 200
    assert keyed.get("/v1/jobs", headers=headers).status_code == 200
    assert keyed.post("/v1/jobs", json=SPEC, headers=headers).status_code == 202
