"""Sign-in of browsers: a cookie instead of the key, which authorises writes only to the page of this API."""

from collections.abc import Callable, Iterator
from contextlib import closing
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from service.api.doors.authentication import CACHE_SECONDS
from service.api.doors.session_cookie import NAME, PAGE_HEADER
from tests.keyed_api import SETTING, KeyedApi
from tests.servers import Api, Broker, until
from tests.stored import Stored

SPEC: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 1}
PAGE = {PAGE_HEADER: "1"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    broker: Broker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[KeyedApi]:
    env, folder = {"RAVINE_API_KEY": SETTING}, tmp_path_factory.mktemp("session")
    with Api(new_database(request.param), broker.new_url(), folder, env=env) as api, closing(KeyedApi(api)) as server:
        yield server


@pytest.fixture
def browser(server: KeyedApi) -> Iterator[httpx.Client]:
    """A client without a key, which keeps cookies as a browser does."""
    with server.client() as client:
        yield client


def sign_in(client: httpx.Client, key: str, **headers: str) -> httpx.Response:
    return client.post("/v1/session", headers={"Authorization": f"Bearer {key}", **headers})


def signed_in(client: httpx.Client, key: str) -> httpx.Client:
    assert sign_in(client, key).status_code == 200
    return client


def cookie_of(answer: httpx.Response) -> tuple[str, Any]:
    """The name of the only cookie that an answer sets, and the cookie."""
    cookie = SimpleCookie(answer.headers["set-cookie"])
    assert len(cookie) == 1
    return next(iter(cookie.items()))


@pytest.mark.slow(after=1)
def test_a_key_is_exchanged_for_a_cookie_that_scripts_cannot_read(server: KeyedApi, browser: httpx.Client) -> None:
    name = f"ann {uuid4()}"
    key = server.new_key(name)
    answer = sign_in(browser, key)
    assert answer.json() == {"required": True, "name": name, "admin": False}
    assert answer.headers["cache-control"] == "no-store"
    named, cookie = cookie_of(answer)
    assert named == f"{NAME}_{server.api.port}"
    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "strict"
    assert (cookie["path"], cookie["max-age"], cookie["domain"], cookie["secure"]) == ("/", "2592000", "", "")
    assert key not in answer.headers["set-cookie"]
    assert browser.get("/v1/session").json() == answer.json()
    with server.database.snapshot() as session:
        stored = str(session.execute(text("SELECT * FROM sessions")).all())
    log = server.api.log()
    for secret in (key, cookie.value):
        assert secret not in stored
        assert secret not in log


def test_the_key_of_the_setting_signs_in_an_admin_without_a_name(browser: httpx.Client) -> None:
    assert sign_in(browser, SETTING).json() == {"required": True, "name": None, "admin": True}
    assert browser.get("/metrics").status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic dXNlcjpwYXNz"])
def test_a_wrong_key_signs_nobody_in(browser: httpx.Client, header: str) -> None:
    answer = browser.post("/v1/session", headers={"Authorization": header})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert browser.get("/v1/session").status_code == 401


@pytest.mark.slow(after=1)
def test_the_cookie_opens_what_the_key_opens(server: KeyedApi, browser: httpx.Client) -> None:
    job = Stored(server.database)
    job.finish()
    signed_in(browser, SETTING)
    for path in ("", "/runs?format=csv", "/metrics?format=csv", "/plot.svg", "/comparison"):
        answer = browser.get(f"/v1/jobs/{job.id}{path}")
        assert answer.status_code == 200, path
        # A cache between browsers and the API must not keep the answer for other callers.
        assert "private" in answer.headers["cache-control"], path
    with browser.stream("GET", f"/v1/jobs/{job.id}/events") as events:
        assert "event: end" in events.read().decode()
    with server.client() as other:
        assert signed_in(other, server.new_key()).get(f"/v1/jobs/{job.id}").status_code == 404
    assert browser.delete(f"/v1/jobs/{job.id}", headers=PAGE).status_code == 204


@pytest.mark.slow(after=1)
def test_the_cookie_alone_authorises_no_write(server: KeyedApi, browser: httpx.Client) -> None:
    signed_in(browser, SETTING)
    paths = browser.get("/openapi.json").json()["paths"]
    writes = [
        (method, path.replace("{", "").replace("}", "")) for path, item in paths.items() for method in item
        if method != "get"
    ]  # fmt: skip
    assert len(writes) >= 8
    for method, path in writes:
        for headers in ({}, {"Origin": server.api.url, "Sec-Fetch-Site": "same-origin"}):
            answer = browser.request(method, path, headers=headers)
            assert answer.status_code == 403, (method, path)
            assert PAGE_HEADER in answer.json()["detail"]
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
            assert browser.request(method, path, headers=PAGE | headers).status_code == 403, (method, path)
    assert browser.get("/v1/session").status_code == 200
    own = PAGE | {"Origin": server.api.url, "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/v1/jobs?dry_run=true", json=SPEC, headers=own).status_code == 200


def test_no_other_origin_may_send_the_header_of_the_page(browser: httpx.Client) -> None:
    asked = {
        "Origin": "http://localhost:1",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": PAGE_HEADER,
    }
    for path in ("/v1/jobs", "/v1/session"):
        answer = browser.options(path, headers=asked)
        assert not answer.is_success
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_key_is_used_instead_of_the_cookie(server: KeyedApi, browser: httpx.Client) -> None:
    signed_in(browser, server.new_key())
    wrong, admin = {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {SETTING}"}
    assert browser.get("/v1/jobs", headers=wrong).status_code == 401
    assert browser.get("/v1/session", headers=admin).json()["admin"] is True
    assert browser.post("/v1/jobs?dry_run=true", json=SPEC, headers=admin).status_code == 200
    # The scheme of a proxy in front of the API is no key.
    assert browser.get("/v1/session", headers={"Authorization": "Basic dXNlcjpwYXNz"}).json()["admin"] is False


def test_a_token_is_no_key_and_begins_no_further_session(browser: httpx.Client) -> None:
    _, cookie = cookie_of(sign_in(browser, SETTING))
    assert browser.post("/v1/session", headers=PAGE).status_code == 401
    assert browser.get("/v1/jobs", headers={"Authorization": f"Bearer {cookie.value}"}).status_code == 401


def test_sign_out_ends_the_session_at_once_and_no_other_one(server: KeyedApi, browser: httpx.Client) -> None:
    key = server.new_key()
    with server.client() as copy, server.client() as other:
        signed_in(browser, key)
        copy.cookies.update(browser.cookies)
        signed_in(other, key)
        assert copy.get("/v1/session").status_code == 200
        assert browser.delete("/v1/session", headers=PAGE).status_code == 204
        assert not browser.cookies
        assert copy.get("/v1/session").status_code == 401
        assert other.get("/v1/session").status_code == 200


def test_another_sign_in_replaces_the_session(server: KeyedApi, browser: httpx.Client) -> None:
    signed_in(browser, server.new_key())
    with server.client() as copy:
        copy.cookies.update(browser.cookies)
        signed_in(browser, SETTING)
        assert copy.get("/v1/session").status_code == 401
        assert browser.get("/v1/session").json()["admin"] is True


def test_a_revoked_key_signs_its_browsers_out_after_a_second(server: KeyedApi, browser: httpx.Client) -> None:
    name = str(uuid4())
    signed_in(browser, server.new_key(name))
    server.revoke(name)
    until(lambda: browser.get("/v1/session").status_code == 401, seconds=CACHE_SECONDS + 10)


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://127.0.0.1"}, {"X-Forwarded-Proto": "https"}], ids=["of the browser", "of a proxy"]
)
def test_with_https_the_cookie_is_secure_and_bound_to_the_host(server: KeyedApi, headers: dict[str, str]) -> None:
    host = {"Host": "127.0.0.1"}
    with server.client() as browser:
        name, cookie = cookie_of(sign_in(browser, SETTING, **host, **headers))
        assert name == f"__Host-{NAME}"
        assert cookie["secure"]
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        # A proxy may not say on every request that the browser uses HTTPS.
        for more in ({}, headers):
            found = browser.get("/v1/session", headers={**host, **more, "Cookie": f"{name}={cookie.value}"})
            assert found.status_code == 200
        plain = {"Cookie": f"{NAME}={cookie.value}"}
        assert browser.get("/v1/session", headers={**host, **plain, "X-Forwarded-Proto": "https"}).status_code == 401
        out = browser.delete("/v1/session", headers={**host, **PAGE, "Cookie": f"{name}={cookie.value}"})
        assert cookie_of(out)[0] == name
        assert cookie_of(out)[1]["secure"]


def test_servers_on_two_ports_of_a_machine_have_separate_sessions(server: KeyedApi, browser: httpx.Client) -> None:
    signed_in(browser, SETTING)
    assert browser.get("/v1/session").status_code == 200
    assert browser.get("/v1/session", headers={"Host": "127.0.0.1:1"}).status_code == 401


def test_without_keys_no_sign_in_is_required_until_the_first_one(
    new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    with (
        Api(new_database("sqlite"), broker.new_url(), tmp_path) as api,
        closing(KeyedApi(api)) as server,
        server.client() as browser,
    ):
        for answer in (browser.get("/v1/session"), sign_in(browser, "any"), browser.post("/v1/session")):
            assert answer.json() == {"required": False, "name": None, "admin": True}
            assert "set-cookie" not in answer.headers
        assert browser.post("/v1/session", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 403
        # The cookie of an earlier server on this port takes nothing away.
        stale = {"Cookie": f"{NAME}_{api.port}=stale"}
        assert browser.post("/v1/jobs?dry_run=true", json=SPEC, headers=stale).status_code == 200
        key = server.new_key("first")
        until(lambda: browser.get("/v1/session").status_code == 401, seconds=CACHE_SECONDS + 10)
        assert sign_in(browser, key).json()["name"] == "first"
