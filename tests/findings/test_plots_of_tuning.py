"""Pictures of tuning: the expected best against the number of trials, and the importance of hyper-parameters."""

from typing import Any
from xml.etree import ElementTree

import pytest

from service.database.connection import Database
from service.errors import Rejected
from service.findings.comparison.job import compare
from service.findings.comparison.words import percent
from service.findings.plots.drawing import draw
from service.findings.plots.request import PlotQuery
from service.findings.plots.scales import short
from service.jobs import lifecycle
from service.jobs.owners import ANYBODY
from tests.trained import trained

SEARCH: dict[str, Any] = {
    "name": "search",
    "problem": {"kind": "flipnet"},
    "optimizers": ["sgd", "adam", {"kind": "momentum", "lr": 0.05}],
    "search": {"trials": 12},
    "seeds": {"count": 4},
    "epochs": 3,
}


@pytest.fixture(scope="module")
def job(shared_database: Database) -> str:
    return trained(shared_database, SEARCH)


# The names of the labels in figures.
NAMES = {"sgd": "SGD", "adam": "Adam"}


def picture(shared_database: Database, job: str, kind: str, **query: Any) -> ElementTree.Element:
    with shared_database.snapshot() as session:
        drawn = draw(session, lifecycle.find(session, job, ANYBODY), PlotQuery(kind=kind, **query), "svg")
    return ElementTree.fromstring(drawn.data)


def tunings(shared_database: Database, job: str) -> dict[str, Any]:
    with shared_database.snapshot() as session:
        found = compare(session, lifecycle.find(session, job, ANYBODY))
    return {label["label"]: label["tuning"] for label in found["labels"] if label["tuning"]}


def texts(of: ElementTree.Element) -> set[str]:
    return {"".join(one.itertext()).strip() for one in of.iter("{http://www.w3.org/2000/svg}text")}


def test_the_lines_have_the_numbers_of_the_comparison(shared_database: Database, job: str) -> None:
    shown, found = picture(shared_database, job, "tuning"), tunings(shared_database, job)
    assert found.keys() == {"sgd", "adam"}
    words = str(shown.findtext("{*}desc"))
    for label, tuning in found.items():
        losses = tuning["expected_best"]["loss"]
        assert f"{NAMES[label]} {short(losses[0])} with 1 trial, {short(losses[-1])} with 12" in words
    assert {"1", "2", "4", "8", "12", "number of trials", "expected best loss", "SGD", "Adam"} <= texts(shown)
    assert "Momentum" not in texts(shown)


def test_the_bars_have_the_shares_of_the_comparison(shared_database: Database, job: str) -> None:
    shown, found = picture(shared_database, job, "importance"), tunings(shared_database, job)
    words = str(shown.findtext("{*}desc"))
    for label, tuning in found.items():
        shares = ", ".join(f"{one['name']} {percent(one['variance_share'])}" for one in tuning["importance"])
        assert f"{NAMES[label]}: {shares} ({percent(tuning['good_share'])} of 12 settings good)" in words
    assert {"lr", "beta1", "beta2", "SGD", "Adam"} <= texts(shown)


@pytest.mark.parametrize("kind", ["tuning", "importance"])
def test_a_small_dark_picture_shows_the_best_labels(shared_database: Database, kind: str) -> None:
    grids = [{"label": f"l{number}", "kind": "sgd", "lr": [0.01, 0.02 + number / 100]} for number in range(12)]
    job = trained(shared_database, {**SEARCH, "optimizers": grids, "search": {}, "seeds": [0, 1], "epochs": 1})
    small = picture(shared_database, job, kind, width=320, height=240, dark=True)
    assert any("labels." in text for text in texts(small))


@pytest.mark.parametrize("kind", ["tuning", "importance"])
def test_a_job_without_a_choice_of_settings_is_refused_with_what_it_needs(shared_database: Database, kind: str) -> None:
    job = trained(shared_database, {**SEARCH, "optimizers": [{"kind": "sgd", "lr": 0.1}], "search": {}})
    with pytest.raises(Rejected, match="no label of this job has several settings"):
        picture(shared_database, job, kind)


def test_a_job_that_maximises_has_importances_and_no_expected_best(shared_database: Database) -> None:
    climbs = [{"kind": "sgd", "lr": [0.001, 0.01, 0.1], "maximize": True}]
    start = {"problem": {"kind": "surface", "expression": "-x**2 - y**2", "start": [1, 1]}, "epochs": 5}
    job = trained(shared_database, {**start, "optimizers": climbs, "seeds": [0, 1]})
    with pytest.raises(Rejected, match="losses that are minimised"):
        picture(shared_database, job, "tuning")
    assert "(3 settings)" in str(picture(shared_database, job, "importance").findtext("{*}desc"))


def test_a_scale_of_losses_is_a_parameter_of_the_expected_best_only() -> None:
    assert PlotQuery(kind="tuning", log=False).log is False
    for wrong in ({"log": True}, {"criterion": "final_loss"}, {"labels": ["a"]}):
        with pytest.raises(ValueError, match="is not a parameter of kind 'importance'"):
            PlotQuery(kind="importance", **wrong)
