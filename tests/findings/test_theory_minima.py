"""The minimum at which theory is evaluated: with weight decay, without curvature, and where there is none."""

import math
from typing import Any

import numpy as np
import pytest

from service.findings.curvature import Penalty, eigenvalues_at, is_quadratic
from service.findings.minimum import minimum_near
from service.findings.theory import job_theory
from service.spec.problems import Quadratic, Surface
from tests.findings.test_theory_of_jobs import spec

SGD = {"kind": "sgd", "lr": 0.05}


def surface(expression: str, *start: float) -> dict[str, Any]:
    return {"kind": "surface", "expression": expression, "start": list(start)}


def theory(problem: dict[str, Any], **setting: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the theory of a problem and of one setting."""
    found = job_theory(spec(problem, {**SGD, **setting}))
    return found["problem"], found["settings"][0]


@pytest.mark.parametrize(
    "expression",
    ["exp(x)", "x**3", "tanh(x)", "exp(0-x**2)", "abs(x) + x**2", "max(x, -x)", "where(x < 0, -x, 2x)", "√(x²)",
     "sign(x) + x²", "where(x < 0, x², x² + 1)"],
)  # fmt: skip
def test_without_a_smooth_minimum_there_is_no_best_setting_and_a_note(expression: str) -> None:
    problem, setting = theory(surface(expression, 1))
    assert (problem["minimum"], problem["condition_number"], problem["best"]) == (None, None, [])
    assert problem["notes"][0] == "No minimum was found from the start; the numbers hold near it."
    assert setting["notes"][0] == problem["notes"][0]
    assert setting["oscillates"] is None
    assert setting["rate"] is None or setting["rate"] > 1


@pytest.mark.parametrize(
    ("expression", "minimum", "curvature"),
    [("log10(1 + x²)", 0, 2 / math.log(10)), ("where(x > 5, 9, 3(x - 1)²)", 1, 6), ("min(x², (x - 3)² + 1)", 0, 2),
     ("1 - sigmoid(2x)sigmoid(-2x)", 0, 0.5)],
)  # fmt: skip
def test_a_smooth_minimum_of_a_formula_with_choices_is_found(expression: str, minimum: float, curvature: float) -> None:
    problem, _ = theory(surface(expression, 0.5))
    assert problem["minimum"] == pytest.approx([minimum], abs=1e-8)
    assert problem["largest"] == pytest.approx(curvature)


def test_the_tip_of_a_cone_is_no_smooth_minimum() -> None:
    problem = Surface.model_validate(surface("√(x² + y²)", 1, 1))
    assert minimum_near(problem, [1, 1]) is None
    assert not is_quadratic(Surface.model_validate(surface("max(x, y)", 1, 1)))


@pytest.mark.parametrize("expression", ["x**4", "(x-1)**4 + 1000", "x**4 - 4*x**3 + 6*x**2 - 4*x + 1", "x**6"])
def test_where_the_curvature_vanishes_theory_has_no_numbers_and_a_note(expression: str) -> None:
    problem, setting = theory(surface(expression, 3))
    assert problem["minimum"] == pytest.approx([1 if "1" in expression else 0], abs=1e-4)
    assert (problem["smallest"], problem["condition_number"], problem["best"]) == (0, None, [])
    assert (setting["lr_limit"], setting["inside"], setting["rate"]) == (None, None, None)
    assert setting["notes"] == ["The curvature vanishes there: theory has no limit, no rate and no best setting."]


@pytest.mark.parametrize(
    "problem",
    [
        {"kind": "quadratic", "eigenvalues": [0, 2, 20], "start": [1, 1, 1]},
        surface("x**2 + 10*y**2 + x**0*0", 1, 1),
        surface("5*(x + y)**2", 1, 2),
        surface("(x*y - 1)**2", 2, 1),
        surface("x**4 + y**2", 1, 1),
    ],
)
def test_a_direction_without_curvature_is_neutral(problem: dict[str, Any]) -> None:
    found, setting = theory(problem)
    curved = [value for value in (found["smallest"], found["largest"]) if value]
    assert setting["inside"] is True
    assert setting["rate"] < 1
    assert setting["lr_limit"] == pytest.approx(2 / found["largest"])
    assert found["condition_number"] is not None
    assert found["best"]
    assert found["smallest"] == 0 or len(curved) == 2
    flat = any("vanishes along 1 of" in sentence for sentence in setting["notes"])
    assert flat == (found["smallest"] == 0)


@pytest.mark.parametrize("expression", ["0 - x**2 - y**2", "x**2 - y**2"])
def test_at_a_negative_curvature_no_learning_rate_is_stable(expression: str) -> None:
    problem, setting = theory(surface(expression, 1, 1), lr=0.1)
    assert (problem["minimum"], problem["best"]) == (None, [])
    assert (setting["lr_limit"], setting["inside"]) == (None, False)
    assert setting["rate"] == pytest.approx(1.2)
    assert any("A curvature is negative" in sentence for sentence in setting["notes"])


def test_on_a_slope_every_learning_rate_is_neutral() -> None:
    problem, setting = theory(surface("x", 0))
    assert (setting["lr_limit"], setting["inside"], setting["rate"]) == (math.inf, True, None)
    assert "All curvatures are 0" in problem["notes"][1]


def test_weight_decay_gives_a_saddle_a_minimum() -> None:
    problem, setting = theory(surface("x**2 - y**2", 1, 1), weight_decay=5.0)
    assert setting["minimum"] == pytest.approx([0, 0])
    assert setting["lr_limit"] == pytest.approx(2 / 7)
    assert (problem["smallest"], problem["largest"]) == pytest.approx((3, 7))


def test_with_weight_decay_the_minimum_and_its_curvature_are_those_of_the_penalised_loss() -> None:
    # exp(x) + x²/4 has its minimum at x = −2·W(1/2), W being Lambert's function.
    problem = Surface.model_validate(surface("exp(x)", 1))
    found = minimum_near(problem, [1.0], Penalty(0.5))
    assert found is not None
    (x,), loss = found
    assert math.exp(x) == pytest.approx(-x / 2)
    assert loss == pytest.approx(math.exp(x))
    assert eigenvalues_at(problem, [x], Penalty(0.5)) == pytest.approx([math.exp(x) + 0.5])
    # With another centre.
    shifted = minimum_near(problem, [1.0], Penalty(0.5, (2.0,)))
    assert shifted is not None
    assert math.exp(shifted[0][0]) == pytest.approx((2 - shifted[0][0]) / 2)


@pytest.mark.parametrize("angle", [0, 30])
def test_a_turned_quadratic_keeps_the_place_along_its_flat_axis(angle: float) -> None:
    problem = Quadratic.model_validate({"kind": "quadratic", "eigenvalues": [0, 3], "angle": angle, "start": [2, 1]})
    found = minimum_near(problem, [2.0, 1.0])
    axis = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    assert found is not None
    assert found[0] == pytest.approx((axis @ [2, 1] * axis).tolist())
    assert found[1] == pytest.approx(0, abs=1e-12)


def test_an_ill_conditioned_quadratic_has_its_minimum() -> None:
    found = minimum_near(Surface.model_validate(surface("x**2 + 0.0000001*(y - 3)**2", 1, 1)), [1.0, 1.0])
    assert found is not None
    assert found[0] == pytest.approx([0, 3])


def test_a_surface_with_a_kink_is_not_quadratic() -> None:
    assert not is_quadratic(Surface.model_validate(surface("abs(x) + x**2", 1)))
