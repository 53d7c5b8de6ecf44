"""Sweeps in the browser: hundreds of runs as a heat map, and the curves of a cell."""

from collections.abc import Callable
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import on_one_stack, wait_for_count
from tests.servers import Stack

OpenPage = Callable[..., Page]
pytestmark = on_one_stack
RAVINE = "/sweep?p=surface,name:ravine&o=momentum&x=lr,0.005,0.5,25,log&y=momentum,0,0.95,20,linear&epochs=60&seeds=1"


def test_five_hundred_runs_are_drawn_and_a_cell_has_its_curves(new_page: OpenPage) -> None:
    page = new_page(RAVINE)
    expect(page.locator("aside")).to_contain_text("500 runs")
    page.get_by_role("button", name="Run the sweep").click()
    wait_for_count(page, "swept", 1)
    expect(page.locator(".view")).to_have_attribute("data-status", "completed")
    # Cells are one picture; beyond the limit of stability they are marked, not only coloured.
    expect(page.locator(".heatmaplayer image").first).to_be_attached()
    cell = page.get_by_role("figure", name="Curves of the chosen cell")
    expect(cell).to_contain_text("This is the cell with the smallest number")
    page.locator("svg.overlay").first.focus()
    page.keyboard.press("ArrowRight")
    expect(cell).not_to_contain_text("This is the cell with the smallest number")
    # Its path lies beside the map, and leads to the race.
    expect(cell.get_by_role("img", name="Path of momentum")).to_be_visible()
    link = cell.get_by_role("link", name="Race this setting").get_attribute("href") or ""
    assert unquote(link).startswith("/?surface=ravine&start=5,2&o=momentum,lr:")
    page.get_by_role("button", name="share diverged").click()
    page.wait_for_function("() => location.search.includes('value=diverged') && location.search.includes('cell=')")


@pytest.mark.slow
def test_starts_are_coloured_by_where_they_end(new_page: OpenPage) -> None:
    sides = "sx=x,-5,5,12,linear&sy=y,-5,5,12,linear"
    page = new_page(f"/sweep?over=starts&p=surface,name:himmelblau&o=sgd,lr:0.005&epochs=100&{sides}")
    page.get_by_role("button", name="Run the sweep").click()
    wait_for_count(page, "swept", 1)
    # Four minima, equally deep.
    expect(page.get_by_role("region", name="Result")).to_contain_text("3.58")


@pytest.mark.slow
def test_a_sweep_from_random_starts_is_opened_and_run_again_with_them(new_page: OpenPage, stack: Stack) -> None:
    spec = {
        "problem": {"kind": "surface", "expression": "x**2 + 3*y**2", "starts": {"random": 3}},
        "optimizers": [{"kind": "momentum", "lr": [0.01, 0.02], "momentum": [0.0, 0.5, 0.9]}],
        "epochs": 20,
    }
    with stack.client() as client:
        job = client.post("/v1/jobs", json=spec).raise_for_status().json()
        page = new_page(f"/sweep?job={job['id']}")
        wait_for_count(page, "swept", 1)
        page.get_by_role("button", name="Run the sweep").click()
        wait_for_count(page, "swept", 2)
        again = client.get("/v1/jobs?limit=1").json()["items"][0]
        assert again["id"] != job["id"]
        assert again["spec"]["problem"] == job["spec"]["problem"]
        assert again["progress"]["runs_total"] == 2 * 3 * 3
