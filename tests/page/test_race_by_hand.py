"""The race under the hand: paths follow what is dragged, nothing old stays in sight, every change can be undone."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Complaints, count, on_one_stack, wait_for_count
from tests.page.races import OpenPage, open_race
from tests.servers import Stack

pytestmark = on_one_stack
# The picture as a text, after the next frame.
PICTURE = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
  done([...document.querySelectorAll(".picture canvas.trail, canvas.paths")].map((one) => one.toDataURL()).join()))))"""
# All steps that the clock has shown.
STEPS = """window.steps = [];
new MutationObserver(() => {
  const now = document.querySelector("output.step")?.textContent;
  if (now && now !== window.steps.at(-1)) window.steps.push(now);
}).observe(document, { childList: true, subtree: true, characterData: true });"""
MOVE = """([name, value]) => {
  const slider = [...document.querySelectorAll(".optimizer input[type=range]")]
    .find((one) => one.dataset.field === name);
  slider.value = value;
  slider.dispatchEvent(new Event("input"));
}"""


def posted(page: Page) -> list[str]:
    """Record the jobs that the page posts from now on."""
    found: list[str] = []
    page.on(
        "request", lambda one: found.append(one.url) if one.method == "POST" and one.url.endswith("/jobs") else None
    )
    return found


def test_paths_follow_a_slider_without_a_job_until_it_is_released(new_page: OpenPage) -> None:
    page = open_race(new_page)
    jobs = posted(page)
    pictures = {page.evaluate(PICTURE)}
    for place in (150, 200, 250):
        page.evaluate(MOVE, ["optimizers.1.momentum", place])
        pictures.add(page.evaluate(PICTURE))
    assert len(pictures) == 4
    assert jobs == []
    # The figures are those of the last race: dimmed.
    expect(page.locator(".view")).to_have_attribute("data-state", "computing")
    page.wait_for_function("() => getComputedStyle(document.querySelector('.readouts')).opacity < 0.5")
    dragged = page.evaluate(PICTURE)
    page.locator("[data-field='optimizers.1.momentum']").dispatch_event("change")
    wait_for_count(page, "raced", 2)
    expect(page.locator(".view")).to_have_attribute("data-state", "current")
    assert len(jobs) == 1
    # The paths of the job are those that the browser computed, to the pixel; arrows come when the clock rests.
    page.evaluate(MOVE, ["optimizers.1.momentum", 250])
    assert page.evaluate(PICTURE) == dragged


@pytest.mark.slow
def test_paths_follow_the_start_and_a_slider_that_comes_back_is_no_change(new_page: OpenPage) -> None:
    page = open_race(new_page)
    jobs = posted(page)
    box = page.locator("canvas.paths").bounding_box()
    assert box is not None
    before = page.evaluate(PICTURE)
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.35)
    assert page.evaluate(PICTURE) != before
    assert jobs == []
    page.mouse.up()
    wait_for_count(page, "raced", 2)
    assert len(jobs) == 1


@pytest.mark.slow
def test_kinds_without_a_program_are_raced_by_jobs_while_a_slider_moves(new_page: OpenPage) -> None:
    page = open_race(new_page, "?o=asgd,lr:0.01")
    jobs = posted(page)
    before = page.evaluate(PICTURE)
    page.evaluate(MOVE, ["optimizers.0.lr", 300])
    page.wait_for_function(f"async (before) => (await ({PICTURE})()) !== before", arg=before)
    assert len(jobs) == 1


@pytest.mark.slow
def test_the_first_page_says_what_it_is_and_plays_at_once(new_page: OpenPage) -> None:
    page = new_page("/healthz", reduced_motion="no-preference")
    page.add_init_script(STEPS)
    page.goto("/")
    # Played from the start to the end, without a press of a button.
    page.wait_for_function("() => new Set(window.steps).size > 5 && window.steps.at(-1) === 'step 100'")
    expect(page.get_by_role("heading", level=1)).to_have_text("Race optimizers downhill")
    expect(page.locator(".notice")).to_contain_text("momentum overshoots and swings back")
    # A link with settings of its own stands still.
    other = open_race(new_page, "?o=sgd,lr:0.01", reduced_motion="no-preference")
    expect(other.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.slow
def test_another_surface_comes_with_rates_that_settle_on_it(new_page: OpenPage) -> None:
    page = open_race(new_page)
    for surface in ("rosenbrock", "goldstein_price"):
        raced = count(page, "raced")
        page.get_by_label("Surface").select_option(surface)
        wait_for_count(page, "raced", raced + 1)
        expect(page.locator(".view[data-state=current] .readouts tbody tr")).to_have_count(2)
        expect(page.locator(".readouts")).not_to_contain_text("diverged")
    linked = open_race(new_page, "?surface=banana")
    expect(linked.locator(".readouts")).not_to_contain_text("diverged")


@pytest.mark.slow
def test_after_divergence_a_button_gives_a_stable_rate(new_page: OpenPage) -> None:
    page = open_race(new_page, "?o=sgd,lr:0.3&o=momentum,lr:0.015")
    expect(page.locator(".readouts tbody tr").first).to_contain_text("1 of 1 diverged")
    page.get_by_role("button", name="Use a stable rate").click()
    wait_for_count(page, "raced", 2)
    expect(page.locator(".view[data-state=current] .readouts")).not_to_contain_text("diverged")
    # A third of the limit, 0.1; the other optimizer keeps its rate.
    assert page.get_by_role("slider", name="lr").first.get_attribute("aria-valuetext") == "0.033"
    assert page.get_by_role("slider", name="lr").last.get_attribute("aria-valuetext") == "0.015"


@pytest.mark.slow
def test_a_wrong_formula_clears_picture_and_figures_and_is_undone(
    new_page: OpenPage, complaints: Complaints, stack: Stack
) -> None:
    complaints.allowed.add("status of 422")
    page = open_race(new_page, "?f=x**2+%2B+3*y**2&start=2,1&o=sgd,lr:0.02")
    formula = page.get_by_label("ƒ(x, y) =")
    formula.fill("x**2 + foo(y)")
    formula.press("Enter")
    expect(page.locator(".complaint")).to_be_visible()
    expect(page.locator(".view")).to_have_attribute("data-state", "failed")
    expect(page.locator(".readouts")).to_be_empty()
    expect(page.locator(".ground")).not_to_be_visible()
    page.locator("canvas.paths").focus()
    page.keyboard.press("Control+z")
    expect(page.locator(".view[data-state=current] .readouts table")).to_be_visible()
    expect(page.locator(".ground")).to_be_visible()
    assert page.get_by_label("ƒ(x, y) =").input_value() == "x**2 + 3*y**2"
    expect(page.locator(".complaint")).to_have_count(0)


@pytest.mark.slow
def test_changes_are_undone_and_redone_one_by_one(new_page: OpenPage) -> None:
    page = open_race(new_page)
    first = page.url
    page.get_by_role("slider", name="lr").first.focus()
    page.keyboard.press("ArrowRight")
    wait_for_count(page, "raced", 2)
    changed = page.url
    page.get_by_label("Surface").select_option("booth")
    wait_for_count(page, "raced", 3)
    for key, url in (("Control+z", changed), ("Control+z", first), ("Control+Shift+Z", changed)):
        raced = count(page, "raced")
        page.keyboard.press(key)
        wait_for_count(page, "raced", raced + 1)
        assert page.url == url


@pytest.mark.slow
def test_with_all_optimizers_off_no_figures_stay(new_page: OpenPage) -> None:
    page = open_race(new_page, "?o=sgd,lr:0.01")
    page.get_by_role("button", name="Run optimizer 1").click()
    expect(page.locator(".readouts")).to_contain_text("No optimizer is on")
    expect(page.locator(".readouts table")).to_have_count(0)


@pytest.mark.slow
def test_a_start_is_read_as_people_write_it(new_page: OpenPage) -> None:
    page = open_race(new_page)
    start = page.get_by_label("Start", exact=True)
    start.fill("(3, 1)")
    start.press("Enter")
    wait_for_count(page, "raced", 2)
    assert start.input_value() == "3, 1"
    for text, says in (("3, one", "Write numbers with commas"), ("3", "Write two numbers")):
        start.fill(text)
        start.press("Enter")
        expect(page.locator(".complaint")).to_contain_text(says)
        # The race from the former start is not shown as if it were from this one.
        expect(page.locator(".view")).to_have_attribute("data-state", "failed")
        expect(page.locator(".readouts")).to_be_empty()
    assert "start=3,1" in page.url
    start.fill("3, 2")
    start.press("Enter")
    expect(page.locator(".view[data-state=current] .readouts table")).to_be_visible()
    expect(page.locator(".complaint")).to_have_count(0)


@pytest.mark.slow
def test_two_fingers_pinch_and_pan_the_picture(new_page: OpenPage) -> None:
    page = open_race(new_page, "?o=sgd,lr:0.015", size=(390, 800), has_touch=True)
    box = page.locator("canvas.paths").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def touch(kind: str, apart: float, right: float = 0) -> None:
        points = [{"x": middle[0] + right + side * apart, "y": middle[1], "id": at} for at, side in enumerate((-1, 1))]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [] if kind == "touchEnd" else points})

    raced = count(page, "raced")
    touch("touchStart", 40)
    for at in range(1, 5):
        touch("touchMove", 40 + 10 * at, 5 * at)
    touch("touchEnd", 80)
    page.wait_for_function("() => location.search.includes('frame=')")
    left, right, *_ = (float(one) for one in parse_qs(urlsplit(page.url).query)["frame"][0].split(","))
    # Twice as far apart: half of the plane, moved with the fingers.
    assert 5.5 < right - left < 7
    assert (left + right) / 2 < -0.2
    # The start has not moved: nothing was raced again.
    assert count(page, "raced") == raced
    assert page.get_by_label("Start", exact=True).input_value() == "5, 2"
