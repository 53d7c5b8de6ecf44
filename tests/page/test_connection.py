"""The page with a server whose streams break."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.page.conftest import Complaints, on_one_stack, wait_for_count


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
@on_one_stack
def test_a_view_that_could_not_be_loaded_says_so_and_is_tried_again(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.allowed.add("net::ERR_FAILED")
    page = new_page("/jobs")
    page.route("**/train/view.js", lambda route: route.abort())
    page.get_by_role("navigation").get_by_role("link", name="Train").click()
    expect(page.get_by_role("alert")).to_contain_text("The view Train could not be loaded from the server.")
    page.unroute("**/train/view.js")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
@on_one_stack
def test_a_lost_connection_clears_the_race_and_comes_back_by_itself(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.allowed.add("net::ERR_INTERNET_DISCONNECTED")
    page = new_page("/?o=sgd,lr:0.015&steps=50")
    expect(page.locator(".view[data-state=current] .readouts table")).to_be_visible()
    page.context.set_offline(True)
    page.locator("canvas.paths").focus()
    page.keyboard.press("r")
    expect(page.locator(".view[data-state=failed]")).to_contain_text("The server does not answer.")
    expect(page.locator(".readouts table")).to_have_count(0)
    expect(page.locator("#notes")).to_contain_text("Trying again")
    page.context.set_offline(False)
    expect(page.locator(".view[data-state=current] .readouts table")).to_be_visible()
    expect(page.locator("#notes")).to_be_empty()


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
@on_one_stack
def test_a_verdict_whose_request_never_answers_is_requested_again(new_page: Callable[..., Page]) -> None:
    page = new_page("/healthz")
    held: list[Route] = []
    page.route("**/comparison", lambda route: route.continue_() if held else held.append(route))
    page.goto("/?o=sgd,lr:0.015&steps=50")
    wait_for_count(page, "raced", 1)
    # Until then the race is not called current.
    expect(page.locator(".view")).to_have_attribute("data-state", "computing")
    expect(page.locator(".view[data-state=current] .readouts table")).to_be_visible()
    assert len(held) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
@on_one_stack
def test_while_no_worker_takes_a_race_the_old_figures_are_dimmed_and_the_wait_is_said(
    new_page: Callable[..., Page],
) -> None:
    page = new_page("/?o=sgd,lr:0.015&steps=50")
    expect(page.locator(".view[data-state=current] .readouts table")).to_be_visible()
    # The page hears nothing of its job, as where no worker runs.
    page.route("**/events?*", lambda _: None)
    page.locator("canvas.paths").focus()
    page.keyboard.press("r")
    expect(page.get_by_text("Waiting for a worker; 50 epochs to train")).to_be_visible()
    page.wait_for_function("() => getComputedStyle(document.querySelector('.readouts')).opacity < 0.5")
