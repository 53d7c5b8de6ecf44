"""Every view, light and dark, narrow and wide: no errors, no horizontal scroll bar, accessible."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.page.conftest import on_one_stack, wait_for_count

OpenPage = Callable[..., Page]
pytestmark = on_one_stack
NAMES = ("compare", "train", "sweep", "data", "optimizer", "presets", "jobs", "lessons")
# Names that users and the API give to datasets are shown as they are.
IDENTIFIERS = {"breast_cancer"}
VIEWS = {"race": "/", **{name: f"/{name}" for name in NAMES}}


def open_view(new_page: OpenPage, path: str, **options: object) -> Page:
    """Open a view and wait until it has content."""
    page = new_page(path, **options)
    page.wait_for_function("() => document.querySelector('.view')?.children.length > 0")
    if path == "/":
        wait_for_count(page, "raced", 1)
        page.wait_for_selector(".view[data-state=current] .readouts table")
    page.wait_for_load_state("networkidle")
    return page


def serious(page: Page) -> list[str]:
    """List the serious accessibility violations found by axe-core: rule, impact and elements."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {[node['target'] for node in one['nodes']]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def raw_names(page: Page) -> list[str]:
    """List names of fields such as `test_loss` that a reader sees or hears, outside of code and of update rules."""
    found: list[str] = page.evaluate(
        r"""() => {
          const isCode = (element) => element.closest("code, pre, textarea, script, style, .paper, .rule-fields");
          const isSeen = (element) => element.checkVisibility?.() ?? true;
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const found = [];
          for (let node = walker.nextNode(); node; node = walker.nextNode())
            if (!isCode(node.parentElement) && isSeen(node.parentElement)) found.push(node.textContent);
          const named = (element, name) => isCode(element) ? "" : element.getAttribute(name);
          for (const name of ["aria-label", "title", "placeholder", "alt"])
            for (const element of document.querySelectorAll(`[${name}]`)) found.push(named(element, name));
          return found.filter((text) => /[a-z]_[a-z0-9]/i.test(text));
        }"""
    )
    return [text for text in found if text not in IDENTIFIERS]


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_accessible_and_no_wider_than_its_window(new_page: OpenPage, view: str) -> None:
    page = open_view(new_page, VIEWS[view])
    expect(page.locator("header [aria-current=page]")).to_have_text(view.capitalize())
    assert serious(page) == []
    assert raw_names(page) == []
    page.get_by_role("button", name="Light or dark").click()
    assert serious(page) == []
    for width in (360, 768, 2560):
        page.set_viewport_size({"width": width, "height": 740})
        # Plots are drawn again one frame after a change of their size.
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_light_and_dark_are_chosen_and_remembered(new_page: OpenPage) -> None:
    page = open_view(new_page, "/jobs")
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


@pytest.mark.slow
def test_views_follow_one_another_without_loading_the_page_again(new_page: OpenPage) -> None:
    page = open_view(new_page, "/jobs")
    page.evaluate("() => { window.same = true; }")
    for name in ("Lessons", "Sweep", "Train"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page).to_have_title(f"{name} · Ravine")
    page.go_back()
    expect(page).to_have_title("Sweep · Ravine")
    assert page.evaluate("() => window.same")
