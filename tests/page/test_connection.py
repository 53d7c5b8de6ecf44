"""The page with a server that requires a key, and with a server whose streams break."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.page.conftest import PATIENCE_MS, Complaints, on_one_stack, wait_for_count
from tests.servers import Api

KEY = "a-key-that-is-known-to-these-tests-only"


def test_a_required_key_is_requested_once_and_kept_in_the_tab(
    browser: Browser, new_database: Callable[[str], str], broker_url: str, tmp_path: Path, complaints: Complaints
) -> None:
    complaints.allowed.add("status of 401")
    api = Api(new_database("sqlite"), broker_url, tmp_path, env={"RAVINE_API_KEY": KEY})
    with api, browser.new_context(base_url=api.url) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        complaints.listen(page, api.url)
        page.goto("/jobs")
        dialog = page.get_by_role("dialog", name="API key")
        for given, answer in ((None, "a key is needed"), ("wrong", "not known here")):
            if given:
                dialog.get_by_label("API key").fill(given)
                dialog.get_by_role("button", name="Use it").click()
            expect(dialog).to_contain_text(answer)
        dialog.get_by_label("API key").fill(KEY)
        dialog.get_by_role("button", name="Use it").click()
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("alert")).to_have_count(0)
        page.reload()
        page.wait_for_load_state("networkidle")
        expect(dialog).to_have_count(0)


@pytest.mark.usefixtures("stack")
@on_one_stack
def test_a_job_is_polled_if_its_stream_breaks(new_page: Callable[..., Page], complaints: Complaints) -> None:
    complaints.allowed.add("net::ERR_FAILED")
    page = new_page("/healthz")
    broken: list[str] = []

    def cut(route: Route) -> None:
        broken.append(route.request.url)
        route.abort()

    page.route("**/events?*", cut)
    page.goto("/?o=sgd,lr:0.015&steps=50")
    wait_for_count(page, "raced", 1)
    assert len(broken) == 3
    expect(page.locator(".readouts tbody tr")).to_have_count(1)
