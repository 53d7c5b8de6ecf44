"""`ravine compare`: the verdict of the service, a table with simultaneous intervals, chosen settings and warnings."""

import json
import re

import pytest

from service.client import Ravine
from tests.cli.invoke import SPEC, Command
from tests.servers import Stack

# The output of a command does not depend on the database of the service.
pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


def test_compare_begins_with_the_verdict_of_the_service_and_ends_with_its_warnings(
    ravine: Command, job_id: str
) -> None:
    found = json.loads(ravine("compare", job_id, "--json").stdout)
    lines = ravine("compare", job_id).stdout.splitlines()
    assert lines[0] == found["verdict"]
    assert found["warnings"] != []
    assert lines[-len(found["warnings"]) :] == [f"! {warning['sentence']}" for warning in found["warnings"]]


def test_compare_shows_ranks_and_the_ratio_to_the_baseline_with_its_interval_and_seeds(
    ravine: Command, job_id: str
) -> None:
    found = json.loads(ravine("compare", job_id, "--baseline", "wild", "--json").stdout)
    (against,) = (label["settings"][0]["against_baseline"] for label in found["labels"] if label["label"] == "slow")
    shown = ravine("compare", job_id, "--baseline", "wild", "--target", "5").stdout
    assert "ratio to wild" in shown
    assert "reached 5" in shown
    ratio = rf"{against['ratio']:.4g} \({against['ratio_low']:.4g} to {against['ratio_high']:.4g}\)"
    assert re.search(rf"^ +slow +1 .* {ratio} +6 .* 0 of 6", shown, re.MULTILINE)
    assert re.search(r"^ +wild +2 .* baseline .* 0 of 6 .* 6 of 6", shown, re.MULTILINE)
    assert "95 % confidence" in shown


def test_compare_uses_the_criterion_that_is_named(ravine: Command, job_id: str) -> None:
    chosen = ("--criterion", "loss_area")
    assert json.loads(ravine("compare", job_id, *chosen, "--json").stdout)["criterion"]["name"] == "loss_area"
    assert "mean loss_area" in ravine("compare", job_id, *chosen).stdout


def test_compare_shows_no_interval_for_too_few_seeds(ravine: Command) -> None:
    spec = json.dumps({**SPEC, "seeds": {"count": 2}})
    ravine("submit", "-", "--watch", "--idempotency-key", "two seeds", input=spec)
    shown = ravine("compare", ravine("submit", "-", "--idempotency-key", "two seeds", input=spec).stdout.strip()).stdout
    assert "Use at least 6 seeds" in shown
    assert "confidence" not in shown
    assert not re.search(r"\(\S+ to \S+\)", shown)


@pytest.fixture(scope="module")
def grid_id(stack: Stack) -> str:
    optimizers = [{"label": "sgd", "kind": "sgd", "lr": [0.01, 0.04]}, {"label": "adam", "kind": "adam", "lr": 0.1}]
    with Ravine(stack.url) as ravine:
        spec = {**SPEC, "optimizers": optimizers, "seeds": {"count": 12}}
        return ravine.wait(ravine.submit(spec)["id"], timeout_seconds=60)["id"]


@pytest.mark.parametrize("option", [(), ("--tuned",)])
def test_compare_names_the_setting_that_half_of_the_seeds_chose(
    ravine: Command, grid_id: str, option: tuple[str, ...]
) -> None:
    found = json.loads(ravine("compare", grid_id, *option, "--json").stdout)
    shown = ravine("compare", grid_id, *option).stdout
    assert found["tuned"]
    assert "Chosen by 6 seeds:" in shown
    assert "  SGD lr=0.04, of 2 settings" in shown
    assert "lr=0.01" not in shown
    codes = [label["chosen"]["code"] for label in found["labels"]]
    assert all(code in shown for code in codes if code)


def test_compare_puts_every_setting_side_by_side(ravine: Command, grid_id: str) -> None:
    found = json.loads(ravine("compare", grid_id, "--every-setting", "--json").stdout)
    shown = ravine("compare", grid_id, "--every-setting").stdout
    assert not found["tuned"]
    assert [len(label["settings"]) for label in found["labels"]] == [2, 1]
    assert re.search(r"^ +SGD lr=0.01 ", shown, re.MULTILINE)
    assert re.search(r"^ +SGD lr=0.04 ", shown, re.MULTILINE)
    assert "Chosen by" not in shown


def test_a_problem_and_optimizers_are_compared_in_one_line_with_a_search_of_each(ravine: Command) -> None:
    question = ("compare", "x**2+10*y**2", "sgd", "momentum", "--trials", "3", "--seeds", "12", "--epochs", "8")
    result = ravine(*question, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert [label["num_settings"] for label in found["labels"]] == [3, 3]
    assert (found["seeds"], found["choosing_seeds"], found["tuned"]) == (12, 6, True)
    assert "completed" in result.stderr
    with Ravine() as client:
        spec = client.job(found["job_id"])["spec"]
    assert spec["problem"]["starts"]["random"] == 1
    assert spec["epochs"] == 8


def test_an_unknown_optimizer_or_problem_is_refused_with_those_there_are(ravine: Command) -> None:
    result = ravine("compare", "nowhere", "sgd", "adm")
    assert result.exit_code == 2
    assert "rosenbrock" in result.stderr
    assert "'adm'" in result.stderr


def test_options_of_a_new_comparison_are_refused_for_a_job(ravine: Command, job_id: str) -> None:
    result = ravine("compare", job_id, "--trials", "4")
    assert result.exit_code == 2
    assert "new comparison" in result.stderr
