"""A formula is read while it is typed, its letters are sliders, and poles break its surface."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import on_one_stack, wait_for_count

OpenPage = Callable[..., Page]
pytestmark = on_one_stack
# The heights that Plotly draws: whether there is a hole, and the largest difference of two neighbours in a row.
HOLES = """() => {
  const rows = document.querySelector('.ground').data[0].z;
  const gap = (one, other) => (one === null || other === null ? 0 : Math.abs(one - other));
  const beside = (row) => row.slice(1).map((one, at) => gap(one, row[at]));
  return [rows.flat().filter((one) => one === null).length, Math.max(...rows.flatMap(beside))];
}"""


@pytest.mark.slow
def test_letters_of_a_formula_become_sliders_that_the_link_keeps(new_page: OpenPage) -> None:
    page = new_page("/?f=x**2+%2B+y**2&start=2,1&o=sgd,lr:0.02")
    wait_for_count(page, "raced", 1)
    # No key ends the entry: a pause does.
    page.get_by_label("ƒ(x, y) =").fill("a x² + by²")
    wait_for_count(page, "raced", 2)
    expect(page.locator(".typeset math msup")).to_have_count(2)
    letter = page.get_by_role("spinbutton", name="b in the formula")
    letter.fill("7")
    letter.press("Enter")
    wait_for_count(page, "raced", 3)
    assert "k=a:1,b:7" in page.url
    again = new_page(page.url)
    wait_for_count(again, "raced", 1)
    assert again.get_by_role("spinbutton", name="b in the formula").input_value() == "7"
    # Twice 7 is the curvature along y, and 2/14 the limit of stability.
    expect(again.locator(".readouts tbody tr")).to_contain_text("stable (limit 0.143)")


@pytest.mark.slow
def test_a_letter_that_moves_moves_ground_and_path(new_page: OpenPage) -> None:
    page = new_page("/?f=x**2+%2B+b*y**2&k=b:1&start=2,1&o=sgd,lr:0.02")
    wait_for_count(page, "raced", 1)
    expect(page.locator(".view[data-state=current] .readouts table")).to_be_visible()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    before = page.evaluate("() => document.querySelector('.ground').data[0].z[0][0]")
    page.evaluate("""() => {
      const slider = document.querySelector('.letters input[type=range]');
      slider.value = 400;
      slider.dispatchEvent(new Event('input'));
    }""")
    page.wait_for_function("(before) => document.querySelector('.ground').data[0].z[0][0] !== before", arg=before)
    assert requests == []


@pytest.mark.slow
def test_a_pole_breaks_the_surface(new_page: OpenPage) -> None:
    page = new_page("/?f=1/x+%2B+y**2&start=2,1&o=sgd,lr:0.02")
    wait_for_count(page, "raced", 1)
    page.wait_for_selector(".ground .contour")
    holes, gap = page.evaluate(HOLES)
    assert holes >= 100
    smooth = new_page("/?f=x**3+%2B+y**2&start=2,1&o=sgd,lr:0.02")
    wait_for_count(smooth, "raced", 1)
    smooth.wait_for_selector(".ground .contour")
    assert smooth.evaluate(HOLES)[0] == 0
    assert gap < 1
