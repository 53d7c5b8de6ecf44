"""Jobs in the browser: the live list, and the results of a job."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import polars
import pytest
from playwright.sync_api import Page, expect

from tests.deciding import NOISY
from tests.page.conftest import PATIENCE_MS, Complaints, on_one_stack, wait_for_count
from tests.servers import Stack

OpenPage = Callable[..., Page]
pytestmark = on_one_stack
SPEC = {
    "name": "A race to look at",
    "problem": {"kind": "surface", "name": "ravine", "noise": 2},
    "optimizers": [{"kind": "sgd", "lr": 0.015}, {"kind": "momentum", "lr": 0.015}],
    "seeds": {"first": 0, "count": 6},
    "epochs": 50,
}
# Seconds of training, so that a test can see it running and cancel it.
LONG = {
    "name": "A job on its way",
    "problem": {"kind": "digits", "model": "cnn"},
    "optimizers": [{"kind": "sgd", "lr": 0.05}],
    "seeds": {"first": 0, "count": 4},
    "epochs": 400,
}


def post(stack: Stack, spec: dict) -> str:
    """Post a job and give its id."""
    with stack.client() as client:
        return str(client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])


def test_a_job_is_followed_to_its_end_and_its_results_are_shown(new_page: OpenPage, stack: Stack) -> None:
    job_id = post(stack, SPEC)
    page = new_page(f"/jobs/{job_id}")
    expect(page.locator(".view")).to_have_attribute("data-status", "completed")
    expect(page.get_by_role("region", name="Verdict")).to_contain_text("6 seeds)")
    expect(page.locator(".lines[data-drawn]")).to_be_visible()
    expect(page.get_by_role("region", name="Labels").locator("tbody tr")).to_have_count(2)
    runs = page.get_by_role("region", name="Runs")
    expect(runs.locator("tbody tr")).to_have_count(12)
    runs.get_by_role("button", name="Final loss").click()
    page.wait_for_function("() => location.search.includes('final_loss')")
    page.wait_for_function(
        """() => {
            const cells = [...document.querySelectorAll('.runs tbody tr')].map((row) => row.cells[0].textContent);
            const rows = cells.map(Number);
            return rows.length === 12 && rows.some((run, at) => run !== at);
        }"""
    )


@pytest.mark.slow
def test_results_of_a_job_are_downloaded(new_page: OpenPage, stack: Stack, tmp_path: Path) -> None:
    page = new_page(f"/jobs/{post(stack, SPEC)}")
    expect(page.locator(".view")).to_have_attribute("data-status", "completed")
    with page.expect_download() as download:
        page.get_by_role("link", name="Metrics as CSV").click()
    path = tmp_path / "metrics.csv"
    download.value.save_as(path)
    assert polars.read_csv(path).height == 12 * 51
    with page.expect_download() as download:
        page.get_by_role("link", name="Bundle as ZIP").click()
    download.value.save_as(tmp_path / "bundle.zip")
    assert zipfile.is_zipfile(tmp_path / "bundle.zip")
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Report as HTML").click()
    expect(popup.value.get_by_role("heading", name="Protocol")).to_be_visible()
    expect(popup.value.locator("img").first).to_have_js_property("complete", True)


@pytest.mark.slow
def test_a_job_is_repeated_and_deleted_after_a_confirmation(
    new_page: OpenPage, stack: Stack, complaints: Complaints
) -> None:
    first = post(stack, SPEC)
    page = new_page(f"/jobs/{first}")
    expect(page.locator(".view")).to_have_attribute("data-status", "completed")
    page.get_by_role("button", name="Repeat this job").click()
    page.wait_for_function("(first) => !location.pathname.endsWith(first)", arg=first)
    again = page.url.rpartition("/")[2]
    expect(page.locator(".view")).to_have_attribute("data-status", "completed")
    with stack.client() as client:
        jobs = [client.get(f"/v1/jobs/{one}").json() for one in (first, again)]
        assert jobs[0]["receipt"]["spec_digest"] == jobs[1]["receipt"]["spec_digest"]
        page.get_by_role("button", name="Delete").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        page.wait_for_url("**/jobs*", timeout=PATIENCE_MS)
        page.wait_for_function("(again) => !location.pathname.endsWith(again)", arg=again)
        assert client.get(f"/v1/jobs/{again}").status_code == 404


@pytest.mark.slow
def test_a_running_job_is_listed_and_cancelled(new_page: OpenPage, stack: Stack) -> None:
    job_id = post(stack, LONG)
    page = new_page("/jobs?name=on+its+way")
    wait_for_count(page, "drawn", 1)
    row = page.locator(f"li[data-job='{job_id}']")
    expect(row).to_contain_text("running")
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("cancelled")


@pytest.mark.slow
def test_a_missing_job_is_shown_with_the_message_of_the_api(new_page: OpenPage, complaints: Complaints) -> None:
    complaints.allowed.add("status of 404")
    page = new_page("/jobs/01a1fe16-4961-7fd2-aaa6-8fc600000000")
    expect(page.get_by_role("alert")).to_contain_text("01a1fe16-4961-7fd2-aaa6-8fc600000000")


@pytest.mark.slow
def test_a_job_with_random_starts_shows_them_with_its_runs(new_page: OpenPage, stack: Stack) -> None:
    problem = {"kind": "surface", "name": "himmelblau", "starts": {"random": 2}}
    page = new_page(f"/jobs/{post(stack, {**SPEC, 'problem': problem, 'seeds': [3, 4]})}")
    expect(page.locator(".view")).to_have_attribute("data-status", "completed")
    expect(page.locator(".view")).to_contain_text("from 2 random starts of each seed")
    expect(page.locator(".lines[data-drawn]")).to_be_visible()
    rows = page.get_by_role("region", name="Runs").locator("tbody tr")
    expect(rows).to_have_count(8)
    starts = rows.locator("td").filter(has_text="(").all_inner_texts()
    assert len(set(starts)) == 4
    # No view has controls for random starts: the job can be repeated, not changed.
    expect(page.get_by_role("link", name="Change and run")).to_have_count(0)


@pytest.mark.slow
def test_a_job_without_curvature_at_its_minimum_shows_why_theory_has_no_numbers(
    new_page: OpenPage, stack: Stack
) -> None:
    problem = {"kind": "surface", "expression": "x**4", "start": [1]}
    page = new_page(
        f"/jobs/{post(stack, {'problem': problem, 'optimizers': [{'kind': 'sgd', 'lr': 0.1}], 'epochs': 40})}"
    )
    expect(page.get_by_text("The curvature vanishes there").first).to_be_visible()


@pytest.mark.slow
def test_a_job_that_decides_shows_its_decision(new_page: OpenPage, stack: Stack) -> None:
    page = new_page(f"/jobs/{post(stack, NOISY)}")
    expect(page.locator(".view")).to_have_attribute("data-status", "completed")
    expect(page.locator(".view")).to_contain_text("decided, 16 seeds, fast better")
    expect(page.locator(".lines[data-drawn]")).to_be_visible()


@pytest.mark.slow
def test_a_surface_job_that_decides_can_be_repeated_and_not_changed(new_page: OpenPage, stack: Stack) -> None:
    page = new_page(f"/jobs/{post(stack, {**SPEC, 'decide': {'batch': 6, 'max_seeds': 6}})}")
    expect(page.locator(".view")).to_contain_text("undecided, 6 seeds")
    expect(page.get_by_role("button", name="Repeat this job")).to_be_visible()
    expect(page.get_by_role("link", name="Change and run")).to_have_count(0)
