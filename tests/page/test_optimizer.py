"""An update rule in the browser: errors under the letters, a race, and a comparison with SGD and Adam."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Complaints, on_one_stack, wait_for_count
from tests.page.test_looks import serious

OpenPage = Callable[..., Page]
pytestmark = on_one_stack
RULE = "Update rule: one assignment on each line, run in order"


def spelling(page: Page) -> str:
    """Give the letters that are marked, in the one text that has them."""
    return str(page.locator(".mirror mark").inner_text())


def test_an_error_is_marked_under_its_letters_and_mended(new_page: OpenPage, complaints: Complaints) -> None:
    complaints.allowed.add("422")
    page = new_page("/optimizer")
    wait_for_count(page, "checked", 1)
    rule = page.get_by_role("textbox", name=RULE)
    rule.fill("w = w - lr*decay*g")
    expect(page.locator(".says")).to_contain_text("'decay' at character 12 is not a name that a formula may use.")
    assert spelling(page) == "decay"
    assert serious(page) == []
    expect(rule).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Make decay a parameter").click()
    expect(page.get_by_label("decay", exact=True)).to_have_value("0.9")
    expect(page.locator(".says")).to_contain_text("Read as")
    expect(page.locator(".mirror mark")).to_have_count(0)
    # An empty line is no assignment; the end of the second one is where a number is missing.
    rule.fill("d = g\n\nw = w - lr*")
    expect(page.locator(".says")).to_contain_text("Line 3: The end of the formula")
    assert page.locator(".mirror > div").nth(2).locator("mark").count() == 1
    page.get_by_label("decay", exact=True).fill("much")
    page.get_by_label("decay", exact=True).press("Enter")
    expect(page.locator(".field:has([data-field='parameters.decay']) + .complaint")).to_be_visible()


@pytest.mark.slow
def test_a_built_in_kind_is_changed_kept_in_the_address_and_compared(new_page: OpenPage) -> None:
    page = new_page("/optimizer")
    page.get_by_label("Start from").select_option("Nesterov")
    page.get_by_label("Name", exact=True).fill("mine")
    page.get_by_label("momentum", exact=True).fill("0.8, 0.9")
    page.get_by_label("momentum", exact=True).press("Tab")
    page.get_by_label("Learning rate").fill("0.015")
    page.get_by_label("Learning rate").press("Tab")
    again = new_page(page.url)
    wait_for_count(again, "checked", 1)
    rule = again.get_by_role("textbox", name=RULE)
    expect(rule).to_have_value("d = g + weight_decay*w\nv = momentum*v + d\nw = w - lr*(d + momentum*v)")
    expect(again.get_by_label("momentum", exact=True)).to_have_value("0.8, 0.9")
    again.get_by_role("button", name="Compare", exact=True).click()
    wait_for_count(again, "compared", 1)
    labels = again.get_by_role("region", name="Labels").locator("tbody tr")
    expect(labels).to_have_count(3)
    job = again.request.get(f"/v1/jobs/{again.locator('.view').get_attribute('data-job')}").json()
    assert [one["label"] for one in job["spec"]["optimizers"]] == ["sgd", "adam", "mine"]
    assert job["spec"]["optimizers"][2]["parameters"]["momentum"] == [0.8, 0.9]
    # The page of the job leads back to the rule.
    again.get_by_role("link", name="All of this job").click()
    again.get_by_role("link", name="Change and run").click()
    expect(again.get_by_role("textbox", name=RULE)).to_have_value(re.compile("lr"))
    expect(again.get_by_label("momentum", exact=True)).to_have_value("0.8, 0.9")
    expect(again.get_by_label("Learning rate")).to_have_value("0.015")


@pytest.mark.slow
def test_a_rule_is_raced_at_once_against_sgd_and_adam(new_page: OpenPage) -> None:
    page = new_page("/optimizer")
    wait_for_count(page, "checked", 1)
    page.get_by_role("textbox", name=RULE).fill("v = momentum*v + g\nw = w - lr*(g + momentum*v)")
    expect(page.locator(".says")).to_contain_text("Read as")
    page.get_by_role("link", name="Race against SGD and Adam").click()
    wait_for_count(page, "raced", 1)
    kinds = [one.partition(",")[0] for one in parse_qs(urlsplit(page.url).query)["o"]]
    assert kinds == ["formula", "sgd", "adam"]
    expect(page.locator(".readouts table tbody tr")).to_have_count(3)
    expect(page.locator(".readouts table")).to_contain_text("my momentum")
    # The picker of the race names the rule.
    assert page.get_by_label("Optimizer 1", exact=True).locator("option:checked").inner_text() == "my momentum"
