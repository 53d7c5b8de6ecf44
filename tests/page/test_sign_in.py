"""Sign-in on a server that requires a key: once for all tabs, until signed out."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.keyed_api import SETTING, KeyedApi
from tests.page.conftest import PATIENCE_MS, Complaints
from tests.page.test_looks import serious
from tests.servers import Api, Broker
from tests.stored import Stored

# Everything that a page keeps itself; cookies with HttpOnly are not in document.cookie.
KEPT = "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"


@pytest.fixture(scope="module")
def server(
    new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KeyedApi]:
    """An API that requires a key, with a job that has ended."""
    env, folder = {"RAVINE_API_KEY": SETTING}, tmp_path_factory.mktemp("sign-in")
    with Api(new_database("sqlite"), broker.new_url(), folder, env=env) as api, closing(KeyedApi(api)) as server:
        yield server


@pytest.fixture(scope="module")
def job(server: KeyedApi) -> str:
    """The id of a job that has ended; only admins see it."""
    stored = Stored(server.database, name="A job to look at")
    stored.finish()
    return stored.id


@pytest.fixture
def profile(browser: Browser, server: KeyedApi) -> Iterator[BrowserContext]:
    """A fresh profile of the browser."""
    with browser.new_context(base_url=server.api.url, reduced_motion="reduce") as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context


@pytest.fixture
def new_tab(profile: BrowserContext, server: KeyedApi, complaints: Complaints) -> Callable[[str], Page]:
    """A function that opens a further tab of the profile."""
    complaints.allowed.add("status of 401")

    def open_tab(path: str) -> Page:
        page = profile.new_page()
        complaints.listen(page, server.api.url)
        page.goto(path)
        return page

    return open_tab


def dialog_of(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Sign in")


def sign_in(page: Page, key: str) -> None:
    dialog_of(page).get_by_label("Your key").fill(key)
    dialog_of(page).get_by_role("button", name="Sign in").click()


def expect_signed_in(page: Page, name: str) -> None:
    expect(page.locator("header .caller")).to_have_text(name)
    expect(dialog_of(page)).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.slow
def test_a_wrong_key_is_named_as_such_and_the_right_one_shows_the_view(
    server: KeyedApi, new_tab: Callable[[str], Page], job: str
) -> None:
    page = new_tab(f"/jobs/{job}?field=momentum")
    expect(dialog_of(page)).to_contain_text("Ask the person who runs this server")
    expect(dialog_of(page)).to_contain_text("ravine keys create --name NAME")
    assert serious(page) == []
    for wrong in ("wrong", "ключ"):
        sign_in(page, wrong)
        expect(dialog_of(page).get_by_role("alert")).to_contain_text("This key is not known here")
    sign_in(page, f"  {SETTING} ")
    expect_signed_in(page, "admin")
    expect(page.get_by_role("heading", name="A job to look at")).to_be_visible()
    assert page.url.endswith(f"/jobs/{job}?field=momentum")
    assert SETTING not in page.evaluate(KEPT)
    assert "ravine_session" not in page.evaluate(KEPT)
    assert serious(page) == []


@pytest.mark.slow
def test_one_sign_in_serves_all_tabs_and_links_until_one_of_them_signs_out(
    server: KeyedApi, profile: BrowserContext, new_tab: Callable[[str], Page], job: str, complaints: Complaints
) -> None:
    first, second = new_tab("/jobs"), new_tab(f"/jobs/{job}")
    expect(dialog_of(second)).to_be_visible()
    sign_in(first, SETTING)
    for page in (first, second):
        expect_signed_in(page, "admin")
    expect(second.get_by_role("heading", name="A job to look at")).to_be_visible()
    first.reload()
    expect_signed_in(first, "admin")
    with profile.expect_page() as opened:
        second.get_by_role("link", name="Curves as SVG").click()
    expect(opened.value.locator("svg").first).to_be_attached()
    with second.expect_download() as download:
        second.get_by_role("link", name="Metrics as CSV").click()
    assert download.value.path().read_text().startswith("run_id,")
    first.get_by_role("button", name="Sign out").click()
    for page in (first, second):
        expect(page.locator("header").get_by_role("button", name="Sign in")).to_be_visible()
        expect(page.get_by_role("alert")).to_contain_text("You are not signed in")
    assert not [cookie for cookie in profile.cookies() if "session" in cookie["name"]]
    complaints.allowed.add("status of 404")
    second.locator("header").get_by_role("button", name="Sign in").click()
    sign_in(second, server.new_key("ann"))
    for page in (first, second):
        expect(page.locator("header .caller")).to_have_text("ann")
    expect(second.get_by_role("alert")).to_contain_text("there is no job")


@pytest.mark.slow
def test_a_declined_sign_in_stays_possible_and_a_revoked_key_asks_again(
    server: KeyedApi, new_tab: Callable[[str], Page]
) -> None:
    page = new_tab("/jobs")
    dialog_of(page).get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("You are not signed in")
    page.locator("header").get_by_role("button", name="Sign in").click()
    sign_in(page, server.new_key("bob"))
    expect_signed_in(page, "bob")
    server.revoke("bob")
    # The list reads its jobs again every few seconds.
    expect(dialog_of(page)).to_be_visible()
    sign_in(page, SETTING)
    expect_signed_in(page, "admin")


@pytest.mark.slow
def test_an_upload_whose_key_was_revoked_is_sent_again_after_the_sign_in(
    server: KeyedApi, new_tab: Callable[[str], Page]
) -> None:
    page = new_tab("/data")
    sign_in(page, server.new_key("cleo"))
    expect_signed_in(page, "cleo")
    expect(page.get_by_role("button", name="iris", exact=True)).to_be_visible()
    server.revoke("cleo")
    rows = "".join(f"{at},{at * at}\n" for at in range(40))
    table = {"name": "mine.csv", "mimeType": "text/csv", "buffer": f"a,b\n{rows}".encode()}
    page.locator("input[type=file]").set_input_files(files=[table])
    sign_in(page, SETTING)
    expect_signed_in(page, "admin")
    expect(page.get_by_role("heading", name="mine.csv")).to_be_visible()
