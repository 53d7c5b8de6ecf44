"""The gallery of presets in the browser: all of them, each opened in the view that fits it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import on_one_stack, wait_for_count

OpenPage = Callable[..., Page]
pytestmark = on_one_stack


def test_all_presets_are_listed_and_found_by_their_words(new_page: OpenPage) -> None:
    page = new_page("/presets")
    wait_for_count(page, "drawn", 1)
    names = [one["name"] for one in page.request.get("/v1/presets").json()["items"]]
    shown = page.locator("[data-preset]").evaluate_all("(cards) => cards.map((card) => card.dataset.preset)")
    assert sorted(shown) == sorted(names)
    page.get_by_label("Contains").fill("himmelblau minima")
    expect(page.locator("[data-preset]:visible")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="1 preset")).to_be_visible()
    again = new_page(page.url)
    expect(again.locator("[data-preset]:visible")).to_have_count(1)
    again.get_by_label("Contains").fill("nothing of the kind")
    expect(again.get_by_text("No presets match")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "address", "mark"),
    [
        ("ravine-race", "/?surface=ravine&", "raced"),
        ("convex-one-minimum", "/sweep?", "swept"),
        ("adam-memory", "/train?", "trained"),
        ("parabola-velocity", "/jobs/", "status"),
    ],
)
def test_a_preset_opens_in_the_view_that_fits_it(new_page: OpenPage, preset: str, address: str, mark: str) -> None:
    page = new_page("/presets")
    page.locator(f"[data-preset='{preset}']").get_by_role("button", name="Run: ").click()
    page.wait_for_url(lambda url: url.partition("//")[2].partition("/")[2].startswith(address[1:]))
    if mark == "status":
        expect(page.locator(".view")).to_have_attribute("data-status", "completed")
    else:
        wait_for_count(page, mark, 1)
