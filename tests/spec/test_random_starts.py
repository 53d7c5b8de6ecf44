"""Random starts: drawn by the seed, in a box, independent of their number and of other seeds."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from service.spec.job import JobSpec
from service.spec.price import price
from service.spec.problems import LandscapeProblem
from service.spec.runs import Runs
from service.spec.surfaces import SURFACES

SGD = {"kind": "sgd", "lr": 0.01}
RAVINE = {"kind": "surface", "name": "ravine"}
FORMULA = {"kind": "surface", "expression": "x**2 + y**2"}
BOWL = {"kind": "quadratic", "eigenvalues": [1, 2, 3]}


def spec(problem: dict[str, Any], starts: object, **changes: Any) -> JobSpec:
    body = {"problem": {**problem, "starts": starts}, "optimizers": [SGD, {"kind": "adam", "lr": 0.1}], "epochs": 3}
    return JobSpec.model_validate(body | changes)


def starts_of(given: JobSpec) -> dict[tuple[str, int], list[list[float]]]:
    """List the starts of each label and seed."""
    found: dict[tuple[str, int], list[list[float]]] = {}
    runs = Runs(given)
    for run in (runs[index] for index in range(len(runs))):
        assert run.start is not None
        found.setdefault((run.label, run.seed), []).append(run.start)
    return found


@pytest.mark.parametrize(
    ("problem", "domain"),
    [
        (RAVINE, SURFACES["ravine"].domain),
        ({"kind": "surface", "name": "parabola"}, SURFACES["parabola"].domain),
        (FORMULA, [(-5, 5)] * 2),
        ({"kind": "surface", "expression": "x**4"}, [(-5, 5)]),
        (BOWL, [(-1, 1)] * 3),
        ({"kind": "quadratic", "eigenvalues": [1]}, [(-1, 1)]),
    ],
)
def test_starts_are_uniform_in_the_domain_of_the_problem(problem: dict[str, Any], domain: Any) -> None:
    given = spec(problem, {"random": 20}, seeds={"count": 100}, optimizers=[SGD])
    points = Runs(given).starts(np.arange(2_000))
    low, high = np.array(domain, dtype=float).T
    shares = (points - low) / (high - low)
    assert points.shape == (2_000, len(domain))
    assert ((shares >= 0) & (shares < 1)).all()
    # The largest distance of the distribution function of 2,000 uniform numbers exceeds this once in 1,000,000 times.
    expected = (np.arange(2_000) + 0.5) / 2_000
    assert np.abs(np.sort(shares, axis=0) - expected[:, None]).max() < 0.06
    if len(domain) > 1:
        assert np.abs(np.corrcoef(shares.T)[0, 1]) < 0.1
    assert len(np.unique(shares[:, 0])) == 2_000


def test_starts_are_drawn_within_the_given_box() -> None:
    points = Runs(spec(RAVINE, {"random": 500, "within": {"x": [2, 3], "y": [-1e-3, 0]}})).starts(np.arange(500))
    assert (points >= [2, -1e-3]).all()
    assert (points < [3, 0]).all()


def test_a_start_depends_on_its_seed_and_number_alone() -> None:
    few = starts_of(spec(RAVINE, {"random": 2}, seeds=[7]))
    many = starts_of(spec(RAVINE, {"random": 5}, seeds={"first": 3, "count": 9}))
    assert few["sgd", 7] == many["sgd", 7][:2]
    assert all(many["sgd", seed] == many["adam", seed] for seed in range(3, 12))
    every = [tuple(point) for seed in range(3, 12) for point in many["sgd", seed]]
    assert len(set(every)) == 45


def test_starts_are_the_same_in_every_version() -> None:
    (point,) = starts_of(spec(RAVINE, {"random": 1}, seeds=[5], optimizers=[SGD]))["sgd", 5]
    assert point == [0.676452319505203, -0.047298236749528044]


def test_the_box_is_filled_in_and_a_posted_spec_is_the_same_job() -> None:
    for problem, box in (
        (RAVINE, {"x": [-6.0, 6.0], "y": [-3.0, 3.0]}),
        ({"kind": "surface", "expression": "x**4"}, {"x": [-5.0, 5.0]}),
        (BOWL, None),
    ):
        given = spec(problem, {"random": 3})
        stored = given.as_dict()
        assert stored["problem"]["starts"] == {"random": 3, **({"within": box} if box else {})}
        again = JobSpec.model_validate(json.loads(json.dumps(stored)))
        assert again.digest() == given.digest()
        if box:
            assert spec(problem, {"random": 3, "within": box}).digest() == given.digest()


def test_the_price_counts_the_starts_of_each_seed() -> None:
    given = spec(BOWL, {"random": 4}, seeds={"count": 3})
    assert isinstance(given.problem, LandscapeProblem)
    assert given.problem.num_starts == 4
    assert len(Runs(given)) == price(given).runs_total == 2 * 3 * 4


@pytest.mark.parametrize(
    ("problem", "starts", "place", "message"),
    [
        (RAVINE, {"random": 0}, ("random",), "greater than or equal to 1"),
        (RAVINE, {"random": 1_000_001}, ("random",), "less than or equal to 1000000"),
        (RAVINE, {"random": 2.5}, ("random",), "integer"),
        (RAVINE, {"random": True}, ("random",), "integer"),
        (RAVINE, {"within": {"x": [0, 1], "y": [0, 1]}}, ("random",), "required"),
        (RAVINE, {"random": 1, "x": {"from": 0, "to": 1, "num": 2}}, ("x",), "not permitted"),
        (RAVINE, {"random": 1, "within": {"x": [1, 1], "y": [0, 1]}}, ("within", "x"), "below the second"),
        (RAVINE, {"random": 1, "within": {"x": [0, 1], "y": [1, 0]}}, ("within", "y"), "below the second"),
        (RAVINE, {"random": 1, "within": {"x": [0, 1, 2], "y": [0, 1]}}, ("within", "x"), "at most 2"),
        (RAVINE, {"random": 1, "within": {"x": [0, float("inf")], "y": [0, 1]}}, ("within", "x", 1), "finite"),
        (RAVINE, {"random": 1, "within": {"x": [0, 1e200], "y": [0, 1]}}, ("within", "x"), "1e100"),
        (RAVINE, {"random": 1, "within": {"x": [0, 1], "y": [0, 1], "z": [0, 1]}}, ("within", "z"), "not permitted"),
        (RAVINE, {"random": 1, "within": {"x": [0, 1]}}, (), "must have x and y"),
        ({"kind": "surface", "name": "parabola"}, {"random": 1, "within": {"x": [0, 1], "y": [0, 1]}}, (), "x alone"),
        (BOWL, {"random": 1, "within": {"x": [0, 1], "y": [0, 1]}}, (), "this problem has 3 dimensions"),
        ({**RAVINE, "start": [1, 1]}, {"random": 1}, (), "either 'start' or 'starts'"),
    ],
)
def test_starts_that_cannot_be_drawn_are_rejected_at_their_place(
    problem: dict[str, Any], starts: object, place: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValidationError) as error:
        spec(problem, starts)
    (detail,) = error.value.errors()
    assert tuple(part for part in detail["loc"] if part not in (problem["kind"], "drawn")) == (
        "problem",
        "starts",
        *place,
    )
    assert message in detail["msg"]
