"""What the page writes: numbers as people write them, labels without long numbers, figures in words."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.api.page_files import digest
from tests.page.conftest import on_one_stack
from tests.page.test_jobs import LONG, SPEC, post
from tests.servers import Stack

OpenPage = Callable[..., Page]
pytestmark = on_one_stack


def called(page: Page, module: str, function: str, *arguments: object) -> Any:
    """Call a function of a script of the page."""
    return page.evaluate(
        "async ([address, name, values]) => (await import(address))[name](...values)",
        [f"/page/{digest()}/{module}", function, arguments],
    )


@pytest.mark.slow
def test_numbers_and_labels_are_written_as_people_write_them(new_page: OpenPage) -> None:
    page = new_page("/compare")
    expect(page.get_by_role("checkbox", name="QHM", exact=True)).to_be_visible()
    written = {
        0.1390: "0.139",
        12345.6: "12,300",
        1e-3: "0.001",
        1.234e-9: "1.23×10⁻⁹",
        -2e-5: "−2×10⁻⁵",
        1e-7: "10⁻⁷",
        -1e6: "−10⁶",
        9.999e-4: "0.001",
        0: "0",
    }
    shown = [called(page, "format.js", "short", number) for number in written]
    assert shown == list(written.values())
    assert called(page, "format.js", "bytes", 64_000_000) == "64 MB"
    axes = {
        (-1.25, 0.01): ["0.1", "0.2", "0.5", "1"],
        (-24.5, 2): ["10⁻²⁴", "10⁻²¹", "10⁻¹⁸", "10⁻¹⁵", "10⁻¹²", "10⁻⁹", "10⁻⁶", "0.001", "1"],
    }
    for ends, texts in axes.items():
        assert called(page, "plot/ticks.js", "logTicks", list(ends), 9)["ticktext"] == texts
    labels = {
        "sgd lr=0.0888623816274": "SGD lr=0.08886",
        "sgd lr=1e-05": "SGD lr=10⁻⁵",
        "adam lr=0.01 eps=1e-08": "Adam lr=0.01 eps=10⁻⁸",
        "quasi_hyperbolic": "QHM",
        "momentum β 0.5": "Momentum β 0.5",
        "momentum of mine": "momentum of mine",
        "run 2e3x": "run 2e3x",
    }
    assert [called(page, "labels.js", "plainLabel", label) for label in labels] == list(labels.values())


@pytest.mark.slow
def test_texts_that_look_like_numbers_survive_the_address(new_page: OpenPage) -> None:
    page = new_page("/presets")
    entry = {"kind": "data", "dataset": "01", "target": "2020", "label": "5", "l2": 0.5, "model": {"kind": "mlp"}}
    text = called(page, "address.js", "writeOptimizer", entry)
    assert called(page, "address.js", "readOptimizer", text) == entry


@pytest.mark.slow
def test_the_curves_of_a_job_are_told_in_words(new_page: OpenPage, stack: Stack) -> None:
    page = new_page(f"/jobs/{post(stack, SPEC)}")
    expect(page.locator(".lines[data-drawn]")).to_be_visible()
    told = page.get_by_role("img", name="loss over update: ")
    for label in ("SGD", "Momentum"):
        expect(told).to_have_attribute("aria-label", re.compile(f"{label} ends at .* at update 50"))
    for heading in ("Settings", "Details", "Download"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()


@pytest.mark.slow
def test_a_run_that_was_cancelled_says_after_which_epoch(new_page: OpenPage, stack: Stack) -> None:
    job_id = post(stack, LONG)
    page = new_page(f"/jobs/{job_id}")
    page.wait_for_function("() => Number(document.querySelector('.course progress')?.value) > 0.002")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(".view")).to_have_attribute("data-status", "cancelled")
    runs = page.get_by_role("region", name="Runs", exact=True)
    expect(runs).to_contain_text(re.compile(r"stopped after epoch \d+ of 400"))
