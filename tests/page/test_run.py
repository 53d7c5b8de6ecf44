"""The page of a run, and links that hide controls."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import on_one_stack, wait_for_count
from tests.servers import Stack, wait_for_job

OpenPage = Callable[..., Page]
pytestmark = on_one_stack
SPEC = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": 0.015}, {"kind": "momentum", "lr": 0.015}],
    "seeds": [0],
    "epochs": 50,
}


def test_a_run_has_a_page_with_setting_history_and_files(new_page: OpenPage, stack: Stack) -> None:
    with stack.client() as client:
        job_id = client.post("/v1/jobs", json=SPEC).raise_for_status().json()["id"]
    page = new_page(f"/jobs/{job_id}")
    expect(page.locator(".view")).to_have_attribute("data-status", "completed")
    page.get_by_role("region", name="Runs").get_by_role("link", name="Run 1").click()
    wait_for_count(page, "drawn", 1)
    assert page.url.endswith(f"/jobs/{job_id}/runs/1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Run 1: momentum, seed 0")
    expect(page.get_by_role("img", name="Path of momentum from (5, 2).")).to_be_visible()
    expect(page.locator(".figures figure")).to_have_count(3)
    expect(page.get_by_role("complementary", name="About this run")).to_contain_text("0.015")
    csv = page.get_by_role("link", name="Metrics as CSV").get_attribute("href") or ""
    with stack.client() as client:
        assert len(client.get(csv).raise_for_status().text.splitlines()) == 52
    race = page.get_by_role("link", name="Race this setting").get_attribute("href") or ""
    assert race.startswith("/?surface=ravine&start=5%2C2&o=momentum")


@pytest.mark.slow
def test_a_link_hides_controls_for_a_class(new_page: OpenPage) -> None:
    page = new_page("/?hide=seeds,navigation,more&o=sgd,lr:0.015")
    wait_for_count(page, "raced", 1)
    expect(page.get_by_role("slider", name="steps")).to_be_visible()
    expect(page.get_by_role("slider", name="seeds")).to_be_hidden()
    expect(page.get_by_role("navigation")).to_be_hidden()
    # A new race keeps it, in the address and in what is drawn later.
    page.get_by_role("button", name="+ add optimizer").click()
    wait_for_count(page, "raced", 2)
    assert "hide=seeds,navigation,more" in page.url
    expect(page.locator(".optimizer")).to_have_count(2)
    expect(page.locator(".optimizer summary:visible")).to_have_count(0)


@pytest.mark.slow
def test_a_name_with_a_comma_is_hidden_by_a_parameter_of_its_own(new_page: OpenPage) -> None:
    page = new_page("/?hide=noise, batch&hide=seeds&o=sgd,lr:0.015")
    wait_for_count(page, "raced", 1)
    expect(page.get_by_role("slider", name="steps")).to_be_visible()
    expect(page.get_by_role("slider", name="seeds")).to_be_hidden()
    expect(page.get_by_text("noise, batch")).to_be_hidden()
    page.get_by_role("button", name="+ add optimizer").click()
    wait_for_count(page, "raced", 2)
    assert page.evaluate("() => new URLSearchParams(location.search).getAll('hide')") == ["noise, batch", "seeds"]


def test_the_page_of_a_job_shows_what_its_networks_decide(new_page: OpenPage, stack: Stack) -> None:
    problem = {"kind": "playground", "size": 40, "widths": [3]}
    optimizers = [
        {"kind": "adam", "lr": 0.1},
        {"kind": "sgd", "lr": [0.1, 0.5]},
        {"label": "lost", "kind": "sgd", "lr": 1e30},
    ]
    with stack.client() as client:
        spec = {"problem": problem, "optimizers": optimizers, "seeds": [3, 4], "epochs": 5}
        job = client.post("/v1/jobs", json=spec).raise_for_status().json()
        wait_for_job(client, job["id"])
    page = new_page(f"/jobs/{job['id']}")
    maps = page.get_by_role("region", name="Decisions")
    expect(maps.locator(".map")).to_have_count(3)
    expect(maps.locator(".unit")).to_have_count(9)
    expect(maps.get_by_role("img", name="Decisions of lost")).to_contain_text("did not train to its end")
    expect(maps.get_by_label("seed")).to_have_value("3")
    painted = "() => document.querySelector('.decisions .map').toDataURL()"
    before = page.evaluate(painted)
    maps.get_by_label("seed").select_option("4")
    page.wait_for_function("before => document.querySelector('.decisions .map').toDataURL() !== before", arg=before)


@pytest.mark.slow
def test_smoothed_curves_are_named_as_such(new_page: OpenPage, stack: Stack) -> None:
    with stack.client() as client:
        job = client.post("/v1/jobs", json=SPEC).raise_for_status().json()
        wait_for_job(client, job["id"])
    page = new_page(f"/jobs/{job['id']}")
    curves = page.get_by_role("region", name="Curves")
    axis = curves.locator(".ytitle")
    expect(axis).to_have_text("loss")
    curves.get_by_label("Smoothing").select_option("0.9")
    expect(axis).to_have_text("loss, smoothed")
    expect(curves).to_contain_text("Lines are smoothed by an exponential mean of weight 0.9.")
    assert "smooth=0.9" in page.url
