"""The page with a server whose streams break."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.page.conftest import Complaints, on_one_stack, wait_for_count


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
