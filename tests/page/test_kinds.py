"""The kinds of problems, optimizers and plots named in the scripts of the page exist."""

import re
from typing import Any, get_args

import httpx

from service.api.page_files import FOLDER
from service.findings.plots.kinds import Kind
from service.spec.learning_rates import LEARNING_RATES
from service.spec.optimizers import OPTIMIZERS
from service.spec.problems import PROBLEMS
from tests.page.conftest import on_one_stack


def kind_of(model: Any) -> str:
    """Give the kind of a problem or optimizer in a spec."""
    return str(get_args(model.model_fields["kind"].annotation)[0])


OPTIMIZER_KINDS = {kind_of(model) for model in OPTIMIZERS}
PROBLEM_KINDS = {kind_of(model) for model in PROBLEMS}


def test_learning_rates_are_of_kinds_that_exist() -> None:
    assert set(LEARNING_RATES) <= PROBLEM_KINDS
    assert {kind for rates in LEARNING_RATES.values() for kind in rates} <= OPTIMIZER_KINDS


def test_optimizers_that_scripts_begin_with_exist() -> None:
    list_of_optimizers = (FOLDER / "controls/optimizers.js").read_text()
    suggested = re.search(r"^const SUGGESTED = \[(.*)\];$", list_of_optimizers, re.MULTILINE)
    assert suggested
    named = set(re.findall(r'"(\w+)"', suggested[1]))
    for path in FOLDER.rglob("*.js"):
        named |= set(re.findall(r'\{ kind: "(\w+)", lr\b', path.read_text()))
    assert len(named) >= 5
    assert named <= OPTIMIZER_KINDS


def test_fields_that_the_form_of_a_problem_shows_first_exist() -> None:
    text = (FOLDER / "controls/problem.js").read_text()
    block = re.search(r"^const FIRST = \{\n(.*?)^\};$", text, re.MULTILINE | re.DOTALL)
    assert block
    shown = dict(re.findall(r"^  (\w+): \[(.*)\],$", block[1], re.MULTILINE))
    fields = {kind_of(model): set(model.model_fields) for model in PROBLEMS}
    assert len(shown) == 5
    for kind, names in shown.items():
        assert set(re.findall(r'"(\w+)"', names)) <= fields[kind]


def test_every_kind_of_plot_can_be_downloaded() -> None:
    text = (FOLDER / "jobs/downloads.js").read_text()
    block = re.search(r"^export const PICTURES = \{\n(.*?)^\};$", text, re.MULTILINE | re.DOTALL)
    assert block
    assert set(re.findall(r"^  (\w+): ", block[1], re.MULTILINE)) == {*Kind}


@on_one_stack
def test_the_catalogue_has_the_fields_that_the_page_uses(client: httpx.Client) -> None:
    problems = {one["kind"]: one for one in client.get("/v1/problems").json()["items"]}
    optimizers = {one["kind"]: one for one in client.get("/v1/optimizers").json()["items"]}
    assert {kind for kind, one in problems.items() if one["is_landscape"]} == {"surface", "quadratic"}
    assert {kind for kind, one in problems.items() if one["has_test_data"]} == {"data", "digits", "playground"}
    assert {kind for kind, one in problems.items() if one["has_decision"]} == {"playground"}
    assert optimizers["sign_sgd"]["learning_rates"]["surface"] == 0.05
    assert "surface" not in optimizers["sgd"]["learning_rates"]
    for kind, one in optimizers.items():
        query = {"problem": {"kind": "surface", "name": "ravine"}, "optimizer": kind}
        known = client.post("/v1/theory", json=query).status_code == 200
        assert one["has_theory"] == known, kind
        swept = [name for name, schema in one["parameters"]["properties"].items() if "oneOf" in schema]
        assert "lr" in swept
