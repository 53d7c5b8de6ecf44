"""The race on a page."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]


def open_race(new_page: OpenPage, query: str = "", **options: object) -> Page:
    """Open the race and wait until its figures are shown."""
    page = new_page(f"/{query}", **options)
    expect(page.locator(".view[data-state=current] .readouts table")).to_be_visible()
    return page
