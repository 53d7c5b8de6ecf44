"""Lessons in the browser: the list, and running a lesson."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from service.findings.lessons import LESSONS
from tests.page.conftest import on_one_stack, wait_for_count

OpenPage = Callable[..., Page]
pytestmark = on_one_stack


def test_all_lessons_are_listed_with_their_verdicts(new_page: OpenPage) -> None:
    page = new_page("/lessons")
    wait_for_count(page, "drawn", 1)
    expect(page.locator("li[data-lesson]")).to_have_count(len(LESSONS))


def test_a_lesson_is_run_and_shows_statement_and_verdict(new_page: OpenPage) -> None:
    page = new_page("/lessons/beta-zero")
    page.get_by_role("button", name="Run").first.click()
    expect(page.locator(".view[data-verdict]")).to_be_visible()
    expect(page.locator(".view")).to_have_attribute("data-verdict", "holds")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Momentum 0 is SGD exactly")
    expect(page.locator("tbody tr").first).to_be_visible()


def test_an_undecided_verdict_has_its_own_sign(new_page: OpenPage) -> None:
    page = new_page("/lessons")
    wait_for_count(page, "drawn", 1)
    found = page.evaluate(
        """async () => {
          const entry = document.querySelector('script[type="module"]').src;
          const { kindOf, reason, readingSign } = await import(new URL("lessons/verdict.js", entry));
          const lesson = { state: "judged", verdict: "inconclusive: the gap is 0.1 (−0.1 to 0.3)" };
          const readings = [true, false, null].map((holds) => readingSign("it swings", holds).textContent);
          return [kindOf(lesson), reason(lesson), ...readings];
        }"""
    )
    assert found == [
        "inconclusive",
        "the gap is 0.1 (−0.1 to 0.3)",
        "✓yes: it swings",
        "✕no: it swings",
        "?undecided: it swings",
    ]
    expect(page.get_by_role("button", name="inconclusive 0")).to_be_visible()
