"""Lessons in the browser: the list, the five steps of a lesson, and running one."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from service.findings.ledger.stored_results import stored
from service.findings.lessons import LESSONS
from tests.page.conftest import on_one_stack, wait_for_count
from tests.page.test_looks import serious
from tests.servers import Stack

OpenPage = Callable[..., Page]
pytestmark = on_one_stack


@pytest.mark.slow
def test_all_lessons_are_listed_with_their_verdicts(new_page: OpenPage) -> None:
    page = new_page("/lessons")
    wait_for_count(page, "drawn", 1)
    expect(page.locator("li[data-lesson]")).to_have_count(len(LESSONS))


def test_a_lesson_is_run_and_shows_statement_and_verdict(new_page: OpenPage) -> None:
    page = new_page("/lessons/beta-zero?step=all")
    page.get_by_role("button", name="Run it").click()
    expect(page.locator(".view[data-verdict]")).to_be_visible()
    expect(page.locator(".view")).to_have_attribute("data-verdict", "holds")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Momentum 0 is SGD exactly")
    expect(page.locator("tbody tr").first).to_be_visible()


@pytest.mark.slow
def test_a_lesson_is_told_in_five_steps_by_keyboard_and_reveals_the_guess(new_page: OpenPage) -> None:
    page = new_page("/lessons/parabola-velocity")
    expect(page.get_by_role("region", name="The claim")).to_contain_text("It is judged by")
    expect(page.get_by_role("region", name="Why")).to_be_hidden()

    def onwards(title: str) -> None:
        page.get_by_role("button", name=f"Next: {title.lower()}").press("Enter")
        expect(page.get_by_role("heading", name=title)).to_be_focused()
        expect(page.get_by_role("button", name=title, exact=False).first).to_have_attribute("aria-current", "step")

    onwards("Your guess")
    page.get_by_role("radio", name="It fails.").press("Space")
    onwards("The run")
    expect(page).to_have_url(re.compile(r"\?step=run&guess=fails$|\?guess=fails&step=run$"))
    page.get_by_role("button", name="Run it").press("Enter")
    expect(page.locator(".view")).to_have_attribute("data-verdict", "holds")
    onwards("The figure")
    expect(page.get_by_role("region", name="What was measured")).to_be_visible()
    onwards("Why")
    expect(page.locator(".guessed")).to_contain_text("Your guess: It fails: but the runs say “holds”.")
    assert serious(page) == []
    # The link opens the same step with the same guess.
    again = new_page(page.url)
    expect(again.locator(".guessed")).to_be_visible()


@pytest.mark.slow
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
    results = [stored(name) for name in LESSONS]
    undecided = [one for one in results if one and one["finding"]["verdict"].startswith("inconclusive")]
    expect(page.get_by_role("button", name=f"inconclusive {len(undecided)}", exact=True)).to_be_visible()


@pytest.mark.slow
def test_a_lesson_that_runs_again_shows_its_last_verdict_and_links_no_jobs_of_other_keys(new_page: OpenPage) -> None:
    page = new_page("/lessons")
    wait_for_count(page, "drawn", 1)
    found = page.evaluate(
        """async () => {
          const entry = document.querySelector('script[type="module"]').src;
          const { kindOf, reason } = await import(new URL("lessons/verdict.js", entry));
          const { runs } = await import(new URL("lessons/running.js", entry));
          const lesson = { state: "running", verdict: "holds if it swings" };
          const links = ["one", null].map((id) => {
            const jobs = [{ id, preset: "p", status: "queued" }];
            const { element } = runs({ jobs, presets: [{ name: "p", title: "P" }] });
            return element.querySelectorAll("a").length;
          });
          const unrun = { state: "running", verdict: null };
          return [kindOf(lesson), reason(lesson), reason(unrun), reason({ ...lesson, state: "stopped" }), ...links];
        }"""
    )
    assert found == ["running", "last verdict: holds if it swings", "", "if it swings", 1, 0]


@pytest.mark.slow
def test_a_page_of_another_origin_cannot_run_a_lesson(browser: Browser, stack: Stack) -> None:
    lesson = f"{stack.url}/v1/lessons/cosine"
    # Another name of the same address is another site.
    other = stack.url.replace("127.0.0.1", "localhost")
    with browser.new_context(bypass_csp=True) as context, stack.client() as client:
        page = context.new_page()
        page.goto(f"{other}/healthz")
        with page.expect_response(f"{lesson}/jobs") as answered:
            page.set_content(f'<form method="post" action="{lesson}/jobs"><button>Win a prize</button></form>')
            page.get_by_role("button").click()
        assert answered.value.status == 403
        assert answered.value.request.all_headers()["sec-fetch-site"] == "cross-site"
        assert client.get(lesson).json()["state"] == "not run"
