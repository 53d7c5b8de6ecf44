"""The bare question in the browser: a problem, names of optimizers, and a decision that grows with the seeds."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Complaints, on_one_stack, wait_for_count

OpenPage = Callable[..., Page]
pytestmark = on_one_stack


def test_a_problem_and_names_of_optimizers_are_a_question(new_page: OpenPage) -> None:
    page = new_page("/compare?o=sgd,momentum")
    page.get_by_role("checkbox", name="Adam", exact=True).check()
    page.get_by_role("button", name="Compare", exact=True).click()
    wait_for_count(page, "compared", 1)
    answer = page.get_by_role("region", name="Answer")
    table = page.get_by_role("region", name="Labels")
    expect(table.locator("tbody tr")).to_have_count(3)
    job = page.request.get(f"/v1/jobs/{page.locator('.view').get_attribute('data-job')}").json()
    assert [entry["kind"] for entry in job["spec"]["optimizers"]] == ["sgd", "momentum", "adam"]
    assert all("from" in entry["lr"] for entry in job["spec"]["optimizers"])
    verdict = page.request.get(f"/v1/jobs/{job['id']}/comparison").json()["verdict"]
    again = new_page(page.url, dark=True)
    wait_for_count(again, "compared", 1)
    shown = again.get_by_role("region", name="Answer").locator(".verdict").inner_text()
    assert shown == answer.locator(".verdict").inner_text()
    assert shown[:20] == verdict[:20]


@pytest.mark.slow
def test_another_question_dims_the_answer(new_page: OpenPage) -> None:
    page = new_page("/compare?o=sgd,momentum")
    page.get_by_role("button", name="Compare", exact=True).click()
    wait_for_count(page, "compared", 1)
    answer = page.get_by_role("region", name="Answer")
    expect(answer).not_to_have_attribute("aria-busy", "true")
    page.get_by_role("checkbox", name="Adam", exact=True).check()
    expect(answer).to_have_attribute("aria-busy", "true")
    assert "job=" not in page.url


@pytest.mark.slow
def test_a_decision_shows_the_interval_and_the_verdict_of_each_optimizer(new_page: OpenPage) -> None:
    page = new_page("/compare?o=sgd,momentum")
    page.get_by_role("radio", name="until it is sure").check()
    page.get_by_role("spinbutton", name="counts as equal, %").fill("10")
    page.get_by_role("spinbutton", name="most seeds").fill("60")
    page.get_by_role("button", name="Compare", exact=True).click()
    wait_for_count(page, "compared", 1)
    job = page.request.get(f"/v1/jobs/{page.locator('.view').get_attribute('data-job')}").json()
    assert job["spec"]["decide"]["margin"] == 0.1
    assert job["spec"]["decide"]["max_seeds"] == 60
    (momentum,) = job["decision"]["labels"]
    decision = page.get_by_role("region", name="Decision")
    expect(decision.get_by_role("img")).to_have_count(1)
    expect(decision).to_contain_text(momentum["verdict"])
    expect(decision).to_contain_text(f"{momentum['seeds']} seeds")


@pytest.mark.slow
def test_an_undecided_job_goes_on_with_more_seeds(new_page: OpenPage) -> None:
    page = new_page("/compare?o=sgd,momentum&margin=0.0001&most=16")
    page.get_by_role("button", name="Compare", exact=True).click()
    wait_for_count(page, "compared", 1)
    page.get_by_role("button", name="Go on with more seeds").click()
    wait_for_count(page, "compared", 2)
    job = page.request.get(f"/v1/jobs/{page.locator('.view').get_attribute('data-job')}").json()
    assert job["decision"]["max_seeds"] == 32
    assert job["decision"]["seeds_used"] > 6


@pytest.mark.slow
def test_a_question_that_has_no_answer_says_why(new_page: OpenPage, complaints: Complaints) -> None:
    complaints.allowed.add("422")
    page = new_page("/compare?p=surface,name:ravine,start:[5~c2]&o=sgd,momentum&margin=0.05")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("seed")
    none = new_page("/compare?o=sgd")
    none.get_by_role("checkbox", name="SGD", exact=True).uncheck()
    none.get_by_role("button", name="Compare", exact=True).click()
    expect(none.get_by_role("alert")).to_be_visible()
