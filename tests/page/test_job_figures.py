"""The page of a job: its figures with a text of what each shows, its tags and its note."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import on_one_stack
from tests.page.test_jobs import post
from tests.page.test_looks import raw_names, serious
from tests.servers import Stack, wait_for_job

OpenPage = Callable[..., Page]
pytestmark = on_one_stack
SEARCH = {
    "name": "To look at and keep",
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [
        {"kind": "momentum", "lr": [0.005, 0.01, 0.02], "momentum": [0.5, 0.8, 0.9]},
        {"kind": "sgd", "lr": [0.01, 0.02]},
    ],
    "epochs": 30,
}


@pytest.mark.slow
def test_every_figure_that_fits_is_one_press_away_and_says_what_it_shows(new_page: OpenPage, stack: Stack) -> None:
    job_id = post(stack, SEARCH)
    with stack.client() as client:
        wait_for_job(client, job_id)
    page = new_page(f"/jobs/{job_id}", dark=True)
    figures = page.get_by_role("region", name="Figures")
    expect(figures.get_by_role("button")).to_have_text(
        ["Intervals", "Ranks", "All targets", "Paths", "Heat map", "Trials", "Importance"]
    )
    for title, kind in {"Paths": "paths", "Heat map": "heatmap", "Importance": "importance"}.items():
        figures.get_by_role("button", name=title).press("Enter")
        expect(figures.get_by_role("button", name=title)).to_have_attribute("aria-pressed", "true")
        expect(figures.locator("img")).to_have_attribute("src", re.compile(f"kind={kind}&.*dark=true"))
        caption = str(figures.locator("figcaption").text_content())
        assert len(caption) > 20, title
        assert figures.locator("img").get_attribute("alt") == caption
    # The settings of a search side by side: the best first, each with its values.
    side = page.get_by_role("region", name="Settings side by side")
    expect(side.locator("svg path:not(.axis)")).to_have_count(9)
    expect(side.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("^9 settings over learning rate, momentum")
    )
    expect(side.locator("output")).to_have_text(re.compile(r"^1 of 9: learning rate .*, momentum .*, final loss "))
    side.get_by_role("slider", name="Setting by rank").press("ArrowRight")
    expect(side.locator("output")).to_have_text(re.compile("^2 of 9: "))
    assert serious(page) == []
    assert raw_names(page) == []
    page.reload()
    expect(figures.get_by_role("button", name="Importance")).to_have_attribute("aria-pressed", "true")
    expect(figures.locator("img")).to_be_visible()


@pytest.mark.slow
def test_tags_and_a_note_are_written_on_the_page_and_found_in_the_list(new_page: OpenPage, stack: Stack) -> None:
    job_id = post(stack, {**SEARCH, "name": "Tagged"})
    page = new_page(f"/jobs/{job_id}")
    page.get_by_label("Tags, with commas between them").fill("week 3, to check, week 3")
    page.get_by_role("textbox", name="Note").focus()
    tag = page.get_by_role("link", name="Jobs tagged week 3")
    expect(tag).to_be_visible()
    page.get_by_role("textbox", name="Note").fill("Show this on Monday.")
    page.keyboard.press("Tab")
    expect(page.get_by_role("status").filter(has_text="Stored.")).to_be_visible()
    tag.click()
    row = page.locator(f"li[data-job='{job_id}']")
    expect(row).to_contain_text("Show this on Monday.")
    expect(page.get_by_label("Tag", exact=True)).to_have_value("week 3")
    page.get_by_label("Tag", exact=True).fill("week 4")
    expect(page.get_by_role("heading", name="No jobs match")).to_be_visible()
