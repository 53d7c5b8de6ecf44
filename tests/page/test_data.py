"""Own data in the browser: a file is dropped, its columns are shown, and optimizers are compared on it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Complaints, on_one_stack, wait_for_count
from tests.page.test_looks import serious

OpenPage = Callable[..., Page]
pytestmark = on_one_stack
TOWNS = ("Ulm", "Aalen", "Bonn")
HOUSES = "rooms,town,2020\n" + "".join(
    f"{2 + at % 5},{TOWNS[at % 3]},{100 + 40 * (at % 5) + 3 * at}\n" if at != 7 else ",Ulm,150\n" for at in range(40)
)


def choose_file(page: Page, name: str, content: str | bytes) -> None:
    """Choose a file as a user does."""
    buffer = content.encode() if isinstance(content, str) else content
    file = {"name": name, "mimeType": "application/vnd.ms-excel", "buffer": buffer}
    page.locator("input[type=file]").set_input_files(files=[file])


def options(page: Page, label: str) -> list[str]:
    """List the choices of a select."""
    return page.get_by_label(label).locator("option").all_inner_texts()


def test_a_file_becomes_columns_and_a_comparison(new_page: OpenPage) -> None:
    page = new_page("/data?o=sgd,momentum")
    choose_file(page, "houses.csv", HOUSES)
    wait_for_count(page, "described", 1)
    rows = page.get_by_role("region", name="Columns").locator("tbody tr")
    assert [row.split("\t") for row in rows.all_inner_texts()] == [
        ["rooms", "number", "1", "5", "2", "4", "6"],
        ["town", "category", "0", "3", "–", "–", "–"],
        ["2020", "number", "0", "40", "100", "237.2", "377"],
    ]
    expect(page.get_by_role("region", name="First rows").locator("tbody tr")).to_have_count(10)
    expect(page.get_by_role("region", name="First rows")).to_contain_text("missing")
    assert serious(page) == []
    # The address has the whole question, also where a column is called as a number.
    page.get_by_label("Target: the column to predict").select_option("rooms")
    page.get_by_label("Target: the column to predict").select_option("2020")
    page.get_by_label("Target: the column to predict").select_option("town")
    page.get_by_label("Scaling").select_option("whiten")
    again = new_page(page.url)
    expect(again.get_by_label("Target: the column to predict")).to_have_value("town")
    expect(again.get_by_text(re.compile(r"runs, about"))).to_be_visible()
    again.get_by_role("button", name="Compare", exact=True).click()
    wait_for_count(again, "compared", 1)
    expect(again.get_by_role("region", name="Labels").locator("tbody tr")).to_have_count(2)
    job = again.request.get(f"/v1/jobs/{again.locator('.view').get_attribute('data-job')}").json()
    problem = job["spec"]["problem"]
    assert (problem["target"], problem["scale"], problem["missing"]) == ("town", "whiten", "mean")
    assert problem["resolved"]["classes"] == 3


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_refused_with_its_line_where_it_was_dropped(
    new_page: OpenPage, complaints: Complaints
) -> None:
    complaints.allowed.add("422")
    page = new_page("/data")
    place = page.get_by_role("region", name="Upload")
    expect(place).to_be_visible()
    transfer = page.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["a,b\\n1,2\\n3\\n"], "short.csv"));
            return transfer;
        }"""
    )
    page.dispatch_event(".view.data", "dragover", {"dataTransfer": transfer})
    expect(page.locator(".drop.over")).to_be_visible()
    page.dispatch_event(".view.data", "drop", {"dataTransfer": transfer})
    expect(place.get_by_role("alert")).to_contain_text("short.csv: not accepted")
    expect(place.get_by_role("alert")).to_contain_text("line 3: the row has 1 cells, the first one has 2")
    expect(page.locator(".drop.over")).to_have_count(0)


@pytest.mark.slow
def test_models_that_fit_the_data_are_offered(new_page: OpenPage) -> None:
    page = new_page("/data")
    datasets = page.get_by_role("region", name="Datasets")
    for num, (name, models) in enumerate(
        [("iris", ["linear", "MLP"]), ("digits", ["linear", "MLP", "CNN", "ResNet"]), ("zipf", ["transformer"])], 1
    ):
        datasets.get_by_role("button", name=name, exact=True).click()
        wait_for_count(page, "described", num)
        assert options(page, "Model") == models
        assert page.get_by_label("Target: the column to predict").count() == (name == "iris")
    datasets.get_by_role("button", name="digits", exact=True).click()
    wait_for_count(page, "described", 4)
    page.get_by_label("Model").select_option("cnn")
    expect(page.get_by_label("channels", exact=False)).to_have_value("8, 16")
    assert page.get_by_role("img", name="8 × 8 pixels").count() == 10


@pytest.mark.slow
def test_a_dataset_is_deleted_after_a_confirmation(new_page: OpenPage) -> None:
    page = new_page("/data")
    choose_file(page, "to delete.txt", "abcabcabc" * 50)
    wait_for_count(page, "described", 1)
    dataset = page.locator(".view").get_attribute("data-dataset")
    page.get_by_role("button", name="Delete to delete.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    assert page.request.get(f"/v1/datasets/{dataset}").status == 200
    page.get_by_role("button", name="Delete to delete.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("button", name="Delete to delete.txt")).to_have_count(0)
    expect(page.get_by_label("Model")).to_have_count(0)
    assert page.request.get(f"/v1/datasets/{dataset}").status == 404
