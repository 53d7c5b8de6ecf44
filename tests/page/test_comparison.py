"""The comparison of a job in the browser: marks follow the answer, and the matrix has every pair."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from service.findings.comparison.words import spoken
from tests.page.conftest import Complaints, on_one_stack
from tests.page.test_looks import serious
from tests.servers import Stack, wait_for_job

OpenPage = Callable[..., Page]
pytestmark = on_one_stack
NOISY = {"kind": "surface", "name": "ravine", "noise": 2}
SEEDS = {"first": 0, "count": 12}
# Nesterov reaches the target sooner than momentum, but their final losses overlap; SGD and Adam are far behind.
FOUR = {
    "problem": NOISY,
    "optimizers": [{"kind": kind, "lr": 0.015} for kind in ("sgd", "momentum", "adam", "nesterov")],
    "seeds": SEEDS,
    "epochs": 50,
}
WIN = {**FOUR, "optimizers": [{"kind": "sgd", "lr": 0.015}, {"kind": "momentum", "lr": 0.015}]}
# Differences between seeds are larger than the one between these two.
NULL = {**WIN, "problem": {"kind": "flipnet"}, "epochs": 20}
NULL["optimizers"] = [{"kind": kind, "lr": 0.05} for kind in ("sgd", "momentum")]
DIGITS = {**NULL, "problem": {"kind": "digits", "train_size": 300}, "seeds": {"first": 0, "count": 8}, "epochs": 5}
RATES = {"from": 0.001, "to": 0.1, "num": 3, "scale": "log"}
TUNED = {**NULL, "optimizers": [{"kind": kind, "lr": RATES} for kind in ("sgd", "momentum")]}


# The curvatures of iris with l2, 14 directions and one flat; SGD beyond its limit, and momentum within.
DATA = {
    "problem": {"kind": "data", "dataset": "iris", "l2": 0.01},
    "optimizers": [{"kind": "sgd", "lr": 10}, {"kind": "momentum", "lr": 0.5}],
    "epochs": 40,
}


def finished(stack: Stack, spec: Mapping[str, Any], **query: object) -> tuple[str, dict[str, Any]]:
    """Post a job, wait until it ends, and give its id and its comparison."""
    with stack.client() as client:
        job_id = str(client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
        wait_for_job(client, job_id)
        answer = client.get(f"/v1/jobs/{job_id}/comparison", params=query).raise_for_status().json()
    return job_id, answer


def open_comparison(new_page: OpenPage, job_id: str, **options: object) -> tuple[Page, Locator]:
    """Open a job and give the page and its comparison."""
    page = new_page(f"/jobs/{job_id}", **options)
    comparison = page.get_by_role("region", name="Comparison")
    expect(comparison.get_by_role("region", name="Labels").locator("tbody tr").first).to_be_visible()
    return page, comparison


def marked(comparison: Locator) -> list[str]:
    """The labels that are marked as best, with their mark."""
    return [text.strip() for text in comparison.locator("th.setting:has(.chip.best)").all_text_contents()]


def cell(comparison: Locator, row: int, column: int) -> Locator:
    """A cell of the matrix."""
    return comparison.get_by_role("grid").locator("tbody tr").nth(row).locator("td").nth(column)


def headings(comparison: Locator) -> list[str]:
    """The names of the columns of the table of labels."""
    return comparison.get_by_role("region", name="Labels").locator("thead th").all_text_contents()


def test_a_clear_win_marks_one_label_and_its_pair(new_page: OpenPage, stack: Stack) -> None:
    job_id, answer = finished(stack, WIN)
    assert answer["best"] == ["momentum"]
    page, comparison = open_comparison(new_page, job_id)
    expect(page.get_by_role("region", name="Verdict")).to_contain_text(answer["verdict"])
    expect(page.get_by_role("region", name="Verdict")).to_contain_text("12 distinct seeds judged.")
    assert marked(comparison) == ["Momentum best"]
    rows = comparison.get_by_role("region", name="Labels").locator("tbody tr")
    assert [row.locator("td").first.text_content() for row in rows.all()] == ["1", "2"]
    expect(cell(comparison, 0, 1)).to_have_class("better")
    expect(cell(comparison, 1, 0)).to_have_class("worse")
    (pair,) = answer["pairs"]
    assert (pair["a"], pair["b"]) == ("sgd", "momentum")
    for at, ratio, ends in (
        ((1, 0), pair["ratio"], (pair["ratio_low"], pair["ratio_high"])),
        ((0, 1), 1 / pair["ratio"], (1 / pair["ratio_high"], 1 / pair["ratio_low"])),
    ):
        assert cell(comparison, *at).text_content() in {f"{ratio:.3g} ▲", f"{ratio:.3g} ▽"}
        name = cell(comparison, *at).get_attribute("title") or ""
        assert name.startswith(f"Momentum is better than SGD: ratio {ratio:.3g} ({ends[0]:.3g} to {ends[1]:.3g})")


@pytest.mark.slow
def test_labels_that_cannot_be_told_apart_are_not_marked(new_page: OpenPage, stack: Stack) -> None:
    job_id, answer = finished(stack, NULL)
    assert len(answer["best"]) == 2
    assert answer["pairs"][0]["low"] is not None
    _, comparison = open_comparison(new_page, job_id)
    assert marked(comparison) == []
    rows = comparison.get_by_role("region", name="Labels").locator("tbody tr")
    assert [row.locator("td").first.text_content() for row in rows.all()] == ["1–2", "1–2"]
    expect(comparison.locator(".better, .worse")).to_have_count(0)
    expect(cell(comparison, 0, 1)).to_have_accessible_name(re.compile("cannot be told apart: ratio .+ to .+ 12 seeds"))


@pytest.mark.slow
def test_few_seeds_give_neither_intervals_nor_marks(new_page: OpenPage, stack: Stack) -> None:
    job_id, answer = finished(stack, {**WIN, "seeds": {"first": 0, "count": 3}})
    page, comparison = open_comparison(new_page, job_id)
    expect(page.get_by_role("region", name="Verdict")).to_contain_text(answer["verdict"])
    assert "Rank" not in headings(comparison)
    assert marked(comparison) == []
    expect(comparison.locator(".better, .worse, .interval")).to_have_count(0)
    expect(cell(comparison, 0, 1)).to_have_accessible_name(re.compile("3 seeds, no interval"))


@pytest.mark.slow
def test_another_criterion_changes_verdict_and_marks_and_stays_in_the_address(new_page: OpenPage, stack: Stack) -> None:
    job_id, answer = finished(stack, {**FOUR, "seeds": {"first": 0, "count": 6}})
    assert set(answer["best"]) == {"nesterov", "momentum"}
    page, comparison = open_comparison(new_page, job_id)
    assert marked(comparison) == [f"{spoken(label)} among the best" for label in answer["best"]]
    others = {other["name"]: other["verdict"] for other in answer["other_criteria"]}
    criterion = page.get_by_label("Compared by")
    options = criterion.locator("option").evaluate_all("list => list.map(({ value }) => value)")
    assert options == [answer["criterion"]["name"], *others]
    for name, verdict in others.items():
        expect(comparison.locator(".others")).to_contain_text(f"{name.replace('_', ' ').capitalize()}{verdict}")
    criterion.select_option("loss_area")
    expect(page.locator(".verdict")).to_have_text(others["loss_area"])
    assert marked(comparison) == ["Nesterov best"]
    assert page.url.endswith("?criterion=loss_area")
    page.reload()
    expect(page.locator(".verdict")).to_have_text(others["loss_area"])
    expect(criterion).to_have_value("loss_area")


@pytest.mark.slow
def test_an_unknown_criterion_in_a_link_is_explained_and_replaced(
    new_page: OpenPage, stack: Stack, complaints: Complaints
) -> None:
    complaints.allowed.add("status of 422")
    job_id, answer = finished(stack, WIN)
    page = new_page(f"/jobs/{job_id}?criterion=test_loss")
    verdict = page.get_by_role("region", name="Verdict")
    expect(verdict.get_by_role("alert")).to_contain_text("this problem has no test_loss")
    page.get_by_label("Compared by").select_option(label="the usual criterion")
    expect(page.locator(".verdict")).to_have_text(answer["verdict"])
    expect(verdict.get_by_role("alert")).to_have_count(0)


@pytest.mark.slow
def test_larger_accuracies_are_better_and_differences_are_linear(new_page: OpenPage, stack: Stack) -> None:
    job_id, answer = finished(stack, {**DIGITS, "criterion": "test_accuracy"})
    assert answer["best"] == ["momentum"]
    page, comparison = open_comparison(new_page, job_id)
    expect(page.get_by_role("region", name="Verdict")).to_contain_text("Declared in the job, before the results.")
    assert headings(comparison)[2:7] == ["Test accuracy", "Difference to SGD", "Final loss", "Test loss", "Accuracy"]
    expect(cell(comparison, 0, 1)).to_have_class("better")
    expect(cell(comparison, 1, 0)).to_have_text(re.compile("^−0[.]"))


@pytest.mark.slow
def test_the_matrix_is_accessible_and_scrolls_in_a_narrow_window(new_page: OpenPage, stack: Stack) -> None:
    job_id, _ = finished(stack, FOUR)
    page, comparison = open_comparison(new_page, job_id, size=(320, 740))
    assert serious(page) == []
    page.get_by_role("button", name="Light or dark").click()
    assert serious(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    assert comparison.locator(".matrix").evaluate("one => one.scrollWidth > one.clientWidth")
    cell(comparison, 0, 1).focus()
    detail = comparison.locator(".detail")
    steps = {"ArrowDown": (1, 1), "ArrowRight": (1, 2), "End": (1, 3), "Home": (1, 0), "ArrowUp": (0, 0)}
    for key, at in steps.items():
        page.keyboard.press(key)
        expect(cell(comparison, *at)).to_be_focused()
        expect(detail).to_have_text(cell(comparison, *at).get_attribute("aria-label") or "")
    expect(comparison.locator(".matrix td[tabindex='0']")).to_have_count(1)


@pytest.mark.slow
def test_chosen_settings_are_shown_with_their_code(new_page: OpenPage, stack: Stack) -> None:
    job_id, answer = finished(stack, TUNED)
    assert (answer["replicates"], answer["choosing_seeds"]) == (6, 6)
    page, comparison = open_comparison(new_page, job_id, permissions=["clipboard-read", "clipboard-write"])
    expect(page.get_by_role("region", name="Verdict")).to_contain_text("6 seeds chose one setting of each label.")
    chosen = comparison.get_by_role("region", name="Chosen settings")
    expect(chosen.locator("tbody tr")).to_have_count(2)
    for at, label in enumerate(answer["labels"]):
        row, code = chosen.locator("tbody tr").nth(at), label["chosen"]["code"]
        assert code.startswith("torch.optim.SGD(")
        expect(row).to_contain_text(spoken(label["chosen"]["setting"]))
        expect(row.locator("code")).to_have_text(code)
        row.get_by_role("button", name=f"Copy the code of {spoken(label['label'])}").click()
        page.wait_for_function("async (code) => (await navigator.clipboard.readText()) === code", arg=code)


@pytest.mark.slow
def test_a_linear_model_shows_its_curvatures_and_where_each_setting_is_stable(stack: Stack, new_page: OpenPage) -> None:
    job_id, found = finished(stack, DATA)
    page, comparison = open_comparison(new_page, job_id)
    curved = [value for value in found["theory"]["problem"]["spectrum"] if value > 0]
    picture = comparison.get_by_role("img", name=re.compile("curvatures from"))
    expect(picture).to_be_visible()
    assert picture.locator(".eigenvalue").count() == len(curved)
    said = str(picture.get_attribute("aria-label"))
    assert said.startswith(f"{len(curved)} curvatures from 0.01 to 0.36")
    assert "SGD is stable below 0.2; Momentum is stable below 7.6" in said
    ends = [
        float(str(line.get_attribute("d")).removeprefix("M").split()[0])
        for line in picture.locator(".limit").all()[1::2]
    ]
    last = max(
        float(str(line.get_attribute("d")).removeprefix("M").split()[0])
        for line in picture.locator(".eigenvalue").all()
    )
    assert ends[0] < last < ends[1]
    expect(comparison).to_contain_text("without scaling 27,900")
    assert not serious(page)
