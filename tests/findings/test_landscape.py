"""POST /v1/landscape: the loss on a map, minima and gradients."""

from typing import Any

import httpx
import pytest

from service.spec.formulas.expression import parse

pytestmark = pytest.mark.databases("sqlite")

RAVINE = {"kind": "surface", "name": "ravine"}
SIDE = {"from": -1, "to": 1, "num": 3}


def ask(client: httpx.Client, **query: object) -> dict[str, Any]:
    answer = client.post("/v1/landscape", json=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_map_has_the_loss_row_by_row(client: httpx.Client) -> None:
    found = ask(client, problem=RAVINE, x=SIDE, y={"from": 0, "to": 2, "num": 2})
    assert (found["x"], found["y"]) == ([-1, 0, 1], [0, 2])
    assert found["loss"] == [[1, 0, 1], [41, 40, 41]]
    assert found["minima"] == [{"position": [0, 0], "value": 0}]
    assert found["formula"] == "x**2 + 10*y**2"


def test_a_formula_is_shown_as_it_is_read(client: httpx.Client) -> None:
    found = ask(
        client, problem={"kind": "surface", "expression": "1/2x² + |x|", "start": [1]}, x=SIDE, points=[[0], [2]]
    )
    assert found["formula"] == "(1/2)*x**2 + abs(x)"
    assert found["program"] == parse(found["formula"]).graph.as_json()
    assert list(found["program"]["outputs"]) == ["value", "x"]
    assert found["loss"] == [1.5, 0, 1.5]
    assert found["gradients"] == [[0], [3]]


def test_gradients_come_in_the_order_of_the_points(client: httpx.Client) -> None:
    found = ask(
        client, problem={"kind": "surface", "expression": "x**3 + 4*y", "start": [1, 1]}, points=[[2, 0], [-1, 5]]
    )
    assert found["gradients"] == [[12, 4], [3, 4]]
    assert found["loss"] is None


def test_a_rotated_quadratic_follows_its_axes(client: httpx.Client) -> None:
    problem = {"kind": "quadratic", "eigenvalues": [1, 100], "angle": 90, "start": [1, 1]}
    found = ask(client, problem=problem, x=SIDE, y=SIDE, points=[[1, 2]])
    # Turned by 90 degrees the steep axis is x.
    assert found["loss"][1] == pytest.approx([50, 0, 50])
    assert found["gradients"][0] == pytest.approx([100, 2])
    assert found["program"] is None


def test_one_dimension_has_one_side_and_a_list(client: httpx.Client) -> None:
    found = ask(client, problem={"kind": "surface", "expression": "log(x)", "start": [1]}, x=SIDE, points=[[2]])
    assert found["y"] is None
    assert found["loss"] == ["NaN", "-Infinity", 0]
    assert found["gradients"] == [[0.5]]


def test_the_minimum_of_a_formula_is_that_reached_from_its_start(client: httpx.Client) -> None:
    found = ask(client, problem={"kind": "surface", "expression": "(x - 3)**2 + 4*(y + 1)**2 + 2", "start": [0, 0]})
    assert found["minima"][0]["position"] == pytest.approx([3, -1])
    assert found["minima"][0]["value"] == pytest.approx(2)
    assert ask(client, problem={"kind": "surface", "expression": "x + y", "start": [0, 0]})["minima"] == []


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"problem": RAVINE, "x": SIDE}, ["body"]),
        ({"problem": RAVINE, "y": SIDE}, ["body"]),
        ({"problem": {"kind": "quadratic", "eigenvalues": [1], "start": [1]}, "y": SIDE}, ["body"]),
        ({"problem": RAVINE, "points": [[1]]}, ["body"]),
        ({"problem": RAVINE, "x": {**SIDE, "num": 301}, "y": SIDE}, ["body", "x", "num"]),
        ({"problem": {"kind": "quadratic", "eigenvalues": [1, 2, 3]}}, ["body"]),
        ({"problem": {"kind": "flipnet"}}, ["body", "problem", "kind"]),
    ],
)
def test_a_problem_without_a_map_is_rejected_with_the_place(
    client: httpx.Client, query: dict[str, Any], place: list
) -> None:
    answer = client.post("/v1/landscape", json=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == place
