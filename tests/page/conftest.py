"""Chromium on the page of the shared stack; every error that it reports fails the test."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.servers import Stack

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
# 3D drawing without a graphics card; Chromium's sandbox does not work in containers.
ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader"]
# The first job of a worker loads torch.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Complaints:
    """Errors that a browser reported, except those that contain one of the allowed texts."""

    allowed: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)

    def listen(self, page: Page, origin: str) -> None:
        """Record the errors of a page: console, exceptions, requests to other hosts."""
        page.on("console", lambda message: self._on_message(message.type, message.text))
        page.on("pageerror", lambda error: self.found.append(f"exception: {error}"))
        page.on("request", lambda request: self._on_request(request.url, origin))

    def _on_message(self, kind: str, text: str) -> None:
        expected = any(words in text for words in self.allowed)
        if kind == "error" and not expected:
            self.found.append(f"console: {text}")

    def _on_request(self, url: str, origin: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and f"{parts.scheme}://{parts.netloc}" != origin:
            self.found.append(f"request to another host: {url}")


# The page looks the same on both databases: one of the two shared stacks is enough.
on_one_stack = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium for the tests of a module. Playwright occupies the event loop of this thread, which other tests need."""
    if CHROMIUM is None:
        reason = "the tests of the page require Chromium: `apt install chromium`"
        if os.environ.get("RAVINE_NEEDS_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """The errors that the browser reports; none may be left at the end."""
    found = Complaints()
    yield found
    assert found.found == []


@pytest.fixture
def new_page(browser: Browser, stack: Stack, complaints: Complaints) -> Iterator[Callable[..., Page]]:
    """A function that opens a page in a fresh profile: ``new_page("/jobs", dark=True)``."""
    contexts: list[BrowserContext] = []

    def open_page(path: str = "/", *, dark: bool = False, size: tuple[int, int] = (1440, 1000), **more: object) -> Page:
        options = {"reduced_motion": "reduce", **more}
        context = browser.new_context(
            base_url=stack.url,
            color_scheme="dark" if dark else "light",
            viewport={"width": size[0], "height": size[1]},
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        complaints.listen(page, stack.url)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def count(page: Page, name: str) -> int:
    """Read a count of the view, such as `raced`; service/page/marks.js lists all of them."""
    return int(page.locator(".view").get_attribute(f"data-{name}") or 0)


def wait_for_count(page: Page, name: str, least: int) -> None:
    """Wait until a count of the view is at least `least`."""
    page.wait_for_function(
        "([name, least]) => Number(document.querySelector('.view')?.dataset[name] ?? 0) >= least", arg=[name, least]
    )
