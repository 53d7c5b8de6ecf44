"""Training in the browser: a job is posted, followed to its end, and shown again by its address."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Complaints, on_one_stack, wait_for_count

OpenPage = Callable[..., Page]
pytestmark = on_one_stack


@pytest.mark.slow
def test_flipnet_is_trained_over_seeds_and_a_link_shows_it_again(new_page: OpenPage) -> None:
    page = new_page("/train?p=flipnet&o=sgd,lr:0.05&o=momentum,lr:0.05,momentum:0.9&epochs=20&seeds=8")
    page.get_by_role("button", name="Train", exact=True).click()
    wait_for_count(page, "trained", 1)
    expect(page.locator(".view")).to_have_attribute("data-status", "completed")
    expect(page.get_by_role("region", name="Result")).to_contain_text("8 seeds)")
    table = page.get_by_role("region", name="Figures of the training")
    expect(table.locator("tbody tr")).to_have_count(2)
    again = new_page(page.url, dark=True)
    wait_for_count(again, "trained", 1)
    figures = table.inner_text()
    assert again.get_by_role("region", name="Figures of the training").inner_text() == figures
    assert again.locator(".view").get_attribute("data-job") == page.locator(".view").get_attribute("data-job")


def test_the_playground_shows_its_decisions_and_hidden_units_epoch_by_epoch(new_page: OpenPage) -> None:
    page = new_page("/train?p=playground,dataset:circles,widths:[3~c2]&o=adam,lr:0.03&epochs=10&seeds=1")
    page.get_by_role("button", name="Train", exact=True).click()
    wait_for_count(page, "trained", 1)
    told = page.get_by_role("img", name="Decisions of Adam. Class 1 in ")
    expect(told).to_have_attribute("aria-label", re.compile(r"in \d+ % of the square[.,]"))
    expect(page.get_by_role("img", name="loss over epoch: Adam ends at ")).to_be_visible()
    expect(page.locator(".decisions .unit")).to_have_count(5)
    expect(page.locator(".decisions output.step")).to_have_text("epoch 10")
    drawn = "() => document.querySelector('.decisions .map').toDataURL()"
    last = page.evaluate(drawn)
    page.get_by_role("slider", name="Epoch", exact=True).press("ArrowLeft")
    expect(page.locator(".decisions output.step")).to_have_text("epoch 9")
    assert page.evaluate(drawn) != last
    page.get_by_label("show test points").check()
    with_tests = page.evaluate(drawn)
    page.get_by_label("show test points").uncheck()
    assert page.evaluate(drawn) != with_tests


def test_the_button_of_a_long_form_is_in_sight_and_covers_nothing(new_page: OpenPage) -> None:
    page = new_page("/train?p=playground", size=(1280, 800))
    button = page.get_by_role("button", name="Train", exact=True)
    expect(button).to_be_in_viewport()
    covered = """() => {
      const one = document.querySelector('form button.main').getBoundingClientRect();
      return [...document.querySelectorAll('form :is(input, select, label, summary)')].filter((other) => {
        const { left, right, top, bottom } = other.getBoundingClientRect();
        return right > one.left && left < one.right && bottom > one.top && top < one.bottom && other.checkVisibility();
      }).length;
    }"""
    for scrolled in (0, 100, 300):
        page.evaluate("(by) => scrollTo(0, by)", scrolled)
        assert page.evaluate(covered) == 0


@pytest.mark.slow
def test_a_regression_with_chosen_inputs_and_penalties_is_mapped_while_it_is_trained(new_page: OpenPage) -> None:
    page = new_page("/train?p=playground,dataset:hills,size:2000&o=adam,lr:0.03&epochs=2000&seeds=1")
    settings = page.get_by_role("form", name="Settings")
    for feature in ("x²", "sin 5y"):
        settings.get_by_label(feature, exact=True).check()
    settings.get_by_label("L1", exact=True).fill("0.001")
    settings.get_by_label("test points", exact=True).fill("50")
    page.get_by_role("button", name="Train", exact=True).click()
    # A map of the epochs so far, which is drawn again as more are trained.
    page.locator(".decisions .map").wait_for()
    assert page.locator(".view").get_attribute("data-status") == "running"
    clock = page.get_by_role("slider", name="Epoch", exact=True)
    first = int(clock.get_attribute("max") or 0)
    page.wait_for_function("first => Number(document.querySelector('.decisions .scrubber').max) > first", arg=first)
    page.get_by_role("button", name="Cancel").click()
    wait_for_count(page, "trained", 1)
    expect(page.locator(".decisions .caption")).to_contain_text("number that the network predicts")
    expect(page.locator(".figures")).to_contain_text("test R²")
    job = page.evaluate(
        "id => fetch('/v1/jobs/' + id).then((one) => one.json())", page.get_attribute(".view", "data-job")
    )
    problem = job["spec"]["problem"]
    assert problem["features"] == ["x", "y", "x2", "sin_y"]
    assert (problem["l1"], problem["test_size"], problem["size"]) == (0.001, 50, 2000)
    again = new_page(page.url)
    expect(again.get_by_label("sin 5y", exact=True)).to_be_checked()


@pytest.mark.slow
def test_a_single_seed_claims_no_difference(new_page: OpenPage) -> None:
    page = new_page("/train?p=flipnet&o=sgd,lr:0.05&o=momentum,lr:0.05,momentum:0.9&epochs=20&seeds=1")
    page.get_by_role("button", name="Train", exact=True).click()
    wait_for_count(page, "trained", 1)
    expect(page.get_by_role("region", name="Result")).to_contain_text("no margin of error")
    figures = page.get_by_role("region", name="Figures", exact=True)
    expect(figures).to_contain_text("Of one seed: there is no margin of error.")
    expect(figures).not_to_contain_text("interval")
    expect(figures).not_to_contain_text(" to 0.")


@pytest.mark.slow
def test_back_leads_to_the_training_before(new_page: OpenPage) -> None:
    page = new_page("/train?p=flipnet&o=sgd,lr:0.05&epochs=5&seeds=1")
    page.get_by_role("button", name="Train", exact=True).click()
    wait_for_count(page, "trained", 1)
    first = page.locator(".view").get_attribute("data-job")
    page.get_by_role("slider", name="epochs").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Train", exact=True).click()
    wait_for_count(page, "trained", 2)
    page.go_back()
    page.go_back()
    wait_for_count(page, "trained", 1)
    assert page.locator(".view").get_attribute("data-job") == first


@pytest.mark.slow
def test_a_link_to_a_deleted_job_claims_no_settings(new_page: OpenPage, complaints: Complaints) -> None:
    complaints.allowed.add("status of 404")
    for view in ("train", "sweep"):
        page = new_page(f"/{view}?job=job_none")
        expect(page.locator(".empty")).to_contain_text("the link does not have its settings")
        page.close()
    whole = new_page("/train?p=flipnet&o=sgd,lr:0.05&epochs=5&seeds=1&job=job_none")
    expect(whole.locator(".empty")).to_contain_text("Its settings are beside this")
