"""Criteria: which a problem has, their scale, and a least loss that holds everywhere."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from service.spec.criteria import CRITERIA, available, default_criterion, least_loss, scale_of, targets
from service.spec.formulas.expression import parse
from service.spec.job import JobSpec
from service.spec.surfaces import SURFACES

DATA: tuple[dict[str, Any], ...] = ({"kind": "flipnet"}, {"kind": "digits"}, {"kind": "playground"})
BOUNDED = {name: surface for name, surface in SURFACES.items() if surface.least_loss is not None}


def spec(problem: dict[str, Any], **changes: Any) -> JobSpec:
    body = {"problem": problem, "optimizers": [{"kind": "sgd", "lr": 0.1}], "epochs": 3}
    return JobSpec.model_validate(body | changes)


def test_only_a_problem_with_test_data_has_criteria_of_the_test() -> None:
    assert available(spec({"kind": "digits"}).problem) == CRITERIA
    assert available(spec({"kind": "playground"}).problem) == CRITERIA
    without = ("final_loss", "best_loss", "loss_area", "epochs_to_target")
    assert available(spec({"kind": "flipnet"}).problem) == without
    assert available(spec({"kind": "surface", "name": "ravine"}).problem) == without


def test_the_test_loss_is_the_default_where_there_is_one() -> None:
    assert default_criterion(spec({"kind": "digits"}).problem) == "test_loss"
    assert default_criterion(spec({"kind": "flipnet"}).problem) == "final_loss"
    assert default_criterion(spec({"kind": "quadratic", "eigenvalues": [1, 2]}).problem) == "final_loss"


@pytest.mark.parametrize(
    ("problem", "least"),
    [
        *((problem, 0.0) for problem in DATA),
        ({"kind": "surface", "name": "ravine"}, 0.0),
        ({"kind": "surface", "name": "easom"}, -1.0),
        ({"kind": "surface", "name": "mccormick"}, None),
        ({"kind": "surface", "name": "saddle"}, None),
        ({"kind": "surface", "expression": "x**2", "start": [1]}, None),
        ({"kind": "quadratic", "eigenvalues": [0, 3]}, 0.0),
        ({"kind": "quadratic", "eigenvalues": [-1e-9, 3]}, None),
    ],
)
def test_a_loss_is_compared_by_logarithms_where_the_least_loss_is_known(
    problem: dict[str, Any], least: float | None
) -> None:
    given = spec(problem).problem
    assert least_loss(given) == least
    for criterion in available(given):
        expected = "linear" if criterion == "test_accuracy" else "log" if least is not None else "linear"
        assert scale_of(given, criterion) == ("log" if criterion == "epochs_to_target" else expected)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("name", BOUNDED)
def test_no_point_in_or_outside_the_domain_is_lower_than_the_least_loss(name: str) -> None:
    surface = BOUNDED[name]
    formula = parse(surface.formula)
    assert surface.least_loss is not None
    points = np.random.default_rng(1).normal(size=(formula.dimension, 200_000))
    for reach in (1, 3, 10, 30, 100, 1000):
        with np.errstate(all="ignore"):
            values = formula.compile(("value",))(np, **dict(zip("xy", points * reach, strict=False)))[0]
        assert np.nanmin(values) >= surface.least_loss - 1e-12


def test_mccormicks_function_is_lower_outside_its_domain_than_its_minimum() -> None:
    surface = SURFACES["mccormick"]
    (value,) = parse(surface.formula).compile(("value",))(np, x=np.array([-3.69]), y=np.array([-4.69]))
    assert surface.value is not None
    assert value[0] < surface.value - 1
    assert surface.least_loss is None


@pytest.mark.parametrize("problem", DATA, ids=lambda problem: str(problem["kind"]))
def test_published_targets_go_from_easy_to_hard(problem: dict[str, Any]) -> None:
    published = targets(spec(problem).problem)
    assert len(published) >= 5
    assert list(published) == sorted(published, reverse=True)
    assert published[-1] > 0


def test_a_landscape_has_no_published_targets() -> None:
    assert targets(spec({"kind": "surface", "name": "ravine"}).problem) == ()


def test_a_declared_criterion_stays_in_the_spec_and_in_its_digest() -> None:
    plain = spec({"kind": "flipnet"})
    declared = spec({"kind": "flipnet"}, criterion="loss_area")
    assert "criterion" not in plain.as_dict()
    assert spec({"kind": "flipnet"}, criterion=None).digest() == plain.digest()
    assert declared.as_dict()["criterion"] == "loss_area"
    assert declared.digest() != plain.digest()
    assert JobSpec.model_validate(declared.as_dict()).digest() == declared.digest()


def test_a_criterion_that_the_problem_lacks_is_rejected_with_those_that_it_has() -> None:
    with pytest.raises(ValidationError) as error:
        spec({"kind": "flipnet"}, criterion="test_loss")
    (detail,) = error.value.errors()
    assert detail["loc"] == ("criterion",)
    assert detail["msg"] == (
        "this problem has no test_loss; there are final_loss, best_loss, loss_area, epochs_to_target"
    )
