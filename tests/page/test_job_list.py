"""The list of jobs in the browser: several jobs are compared, cancelled and deleted, and races are kept apart."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Complaints, on_one_stack, wait_for_count
from tests.page.test_jobs import LONG, SPEC, post
from tests.page.test_looks import serious
from tests.servers import Stack, wait_for_job

OpenPage = Callable[..., Page]
pytestmark = on_one_stack


def rows(page: Page) -> Locator:
    """The jobs of the list."""
    return page.locator("ul.jobs > li")


def finished(stack: Stack, **changes: object) -> str:
    """Post a job, wait until it ends, and give its id."""
    job_id = post(stack, {**SPEC, **changes})
    with stack.client() as client:
        wait_for_job(client, job_id)
    return job_id


@pytest.mark.slow
def test_selected_jobs_are_compared_over_their_problems(
    new_page: OpenPage, stack: Stack, complaints: Complaints
) -> None:
    complaints.allowed.add("422")
    ids = [
        finished(stack, name=f"Of several, {name}", problem={"kind": "surface", "name": name})
        for name in ("ravine", "himmelblau")
    ]
    page = new_page("/jobs?name=Of+several")
    wait_for_count(page, "drawn", 1)
    for job_id in ids:
        page.locator(f"li[data-job='{job_id}']").get_by_role("checkbox").check()
    page.get_by_role("link", name="Compare 2 jobs").click()
    page.wait_for_url("**/jobs?across=*")
    expect(page.get_by_role("region", name="Problems").locator("tbody tr")).to_have_count(2)
    verdict = page.request.get("/v1/comparison", params={"jobs": ",".join(ids)}).json()["verdict"]
    expect(page.get_by_role("region", name="Verdict")).to_contain_text(verdict)
    expect(page.get_by_role("figure", name="Performance profile").locator("[data-drawn]")).to_be_visible()
    # The picture says in words what it shows.
    expect(page.get_by_role("img", name="Runtimes. Share of the targets")).to_be_visible()
    assert serious(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    # Pictures take their new size in the next frame.
    page.wait_for_function("() => document.documentElement.scrollWidth <= 360")
    # Jobs that share no label cannot be compared: nothing of the answer before stays.
    other = finished(stack, optimizers=[{"kind": "adam", "lr": 0.1}])
    alone = new_page(f"/jobs?across={ids[0]},{other}")
    expect(alone.get_by_role("alert")).to_contain_text("label")
    expect(alone.get_by_role("figure", name="Runtimes")).to_be_hidden()


def test_selected_jobs_are_cancelled_and_deleted_together(new_page: OpenPage, stack: Stack) -> None:
    ended = [finished(stack, name=f"Together {number}") for number in range(2)]
    running = post(stack, {**LONG, "name": "Together, long"})
    page = new_page("/jobs?name=Together")
    wait_for_count(page, "drawn", 1)
    for job_id in (*ended, running):
        page.locator(f"li[data-job='{job_id}']").get_by_role("checkbox").check()
    page.get_by_role("button", name="Cancel 1").click()
    expect(page.locator(f"li[data-job='{running}']")).to_contain_text("cancelled")
    for job_id in ended:
        page.locator(f"li[data-job='{job_id}']").get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete them").click()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("group", name="Selected jobs")).to_be_hidden()
    assert [page.request.get(f"/v1/jobs/{job_id}").status for job_id in ended] == [404, 404]


@pytest.mark.slow
def test_races_are_kept_apart_and_jobs_are_put_in_order(new_page: OpenPage, stack: Stack) -> None:
    finished(stack, name="Race on purpose", ttl_seconds=3600)
    for name in ("a purpose", "b purpose"):
        finished(stack, name=name)
    page = new_page("/jobs?name=purpose")
    expect(rows(page).locator(".title")).to_have_text(["b purpose", "a purpose"])
    expect(page.get_by_text("1 race is not shown.")).to_be_visible()
    page.get_by_label("Show races").check()
    expect(rows(page).locator(".title")).to_have_text(["b purpose", "a purpose", "Race on purpose"])
    page.get_by_label("Order", exact=True).select_option("by name")
    expect(rows(page).locator(".title")).to_have_text(["a purpose", "b purpose", "Race on purpose"])
    page.get_by_label("Show races").uncheck()
    page.get_by_label("Name contains").fill("no such name")
    expect(page.get_by_text("No jobs match")).to_be_visible()
