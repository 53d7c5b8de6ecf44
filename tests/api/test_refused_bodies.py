"""A refused body of a megabyte costs little memory and gets a short answer, in whichever part it is invalid."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from service.api.http.error_limits import MAX_ANSWER_BYTES, MAX_ERRORS, few
from service.api.routes.landscape import LandscapeQuery
from service.spec.fields import MAX_UNKNOWN
from service.spec.presets.expansion import PostedJob
from tests.servers import Api, Broker

SGD: dict[str, Any] = {"kind": "sgd", "lr": 0.05}
SPEC: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": [SGD], "epochs": 1}
JSON = {"Content-Type": "application/json"}
BOWL: dict[str, Any] = {"kind": "quadratic", "eigenvalues": [1.0]}
MAPPED = {"problem": {"kind": "surface", "name": "ravine"}}
PIECES = {"kind": "piecewise", "boundaries": ["a"] * 100_000, "factors": ["a"] * 100_000}
WORDS = ["a"] * 200_000
UNKNOWN = {f"k{number}": 1 for number in range(70_000)}
LONG = "\x01" * 160_000
JOBS, LANDSCAPE = ("/v1/jobs", TypeAdapter[Any](PostedJob)), ("/v1/landscape", TypeAdapter[Any](LandscapeQuery))


def with_problem(**fields: Any) -> dict[str, Any]:
    return SPEC | {"problem": BOWL | fields}


def with_entry(**fields: Any) -> dict[str, Any]:
    return SPEC | {"optimizers": [SGD | fields]}


LISTS: dict[str, dict[str, Any]] = {
    "seeds": SPEC | {"seeds": [-1] * 340_000},
    "values of a hyper-parameter": with_entry(lr=WORDS),
    "values of a hyper-parameter out of bounds": with_entry(lr=[-1] * 300_000),
    "eigenvalues": with_problem(eigenvalues=WORDS),
    "a start": with_problem(start=WORDS),
    "starts": with_problem(starts=[["a"]] * 150_000),
    "coordinates of one of the starts": with_problem(starts=[WORDS]),
    "a box of starts": with_problem(starts={"random": 1, "within": {"x": WORDS}}),
    "a shift": with_problem(shift_at=1, shift_by=WORDS),
    "widths": SPEC | {"problem": {"kind": "playground", "widths": WORDS}},
    "a schedule": with_entry(schedule=PIECES),
    "optimizers": SPEC | {"optimizers": [{}] * 200_000},
    "measures": SPEC | {"measure": [1] * 300_000},
}
OBJECTS: dict[str, dict[str, Any]] = {
    "the spec": SPEC | UNKNOWN,
    "a preset": {"preset": "parabola-sgd"} | UNKNOWN,
    "the problem": with_problem(**UNKNOWN),
    "an entry": with_entry(**UNKNOWN),
    "a range": with_entry(lr=UNKNOWN),
    "a schedule": with_entry(schedule={"kind": "constant"} | UNKNOWN),
    "the seeds": SPEC | {"seeds": UNKNOWN},
    "the starts": with_problem(starts=UNKNOWN),
}
TEXTS: dict[str, dict[str, Any]] = {
    "the name of a preset": {"preset": LONG},
    "the name of a field": SPEC | {LONG: 1},
    "a kind": SPEC | {"problem": {"kind": LONG}},
    "a measure": SPEC | {"measure": [LONG]},
    "a formula": SPEC | {"problem": {"kind": "surface", "expression": LONG, "start": [1]}},
}
# As many errors as a spec can have: each of 64 entries has an invalid list and unknown fields.
BAD_ENTRY = SGD | {"lr": ["a"] * 1_000} | {f"{'k' * 400}{number}": 1 for number in range(MAX_UNKNOWN)}
ENTRIES = {"64 of them": SPEC | {"optimizers": [BAD_ENTRY] * 64}}
GROUPS = {"list": LISTS, "object": OBJECTS, "text": TEXTS, "entries": ENTRIES}
CASES = [
    *((JOBS, f"{group}: {name}", body) for group, bodies in GROUPS.items() for name, body in bodies.items()),
    (LANDSCAPE, "list: points", MAPPED | {"points": [["a", "a"]] * 80_000}),
    (LANDSCAPE, "list: coordinates of a point", MAPPED | {"points": [WORDS]}),
    (LANDSCAPE, "object: an axis", MAPPED | {"x": UNKNOWN}),
]


@pytest.fixture(scope="module")
def api(
    new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """An API without workers, on SQLite."""
    with (
        Api(new_database("sqlite"), broker.new_url(), tmp_path_factory.mktemp("refused")) as running,
        httpx.Client(base_url=running.url, timeout=30.0, trust_env=False) as client,
    ):
        yield client


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(("route", "name", "body"), CASES, ids=[name for _, name, _ in CASES])
def test_a_refused_megabyte_costs_little_memory_and_few_errors(
    route: tuple[str, TypeAdapter[Any]], name: str, body: dict[str, Any]
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValidationError) as refused:
            route[1].validate_python(body)
        errors = refused.value.errors(include_url=False)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Two invalid lists of one schedule are two errors.
    assert len(errors) <= (2 if name.startswith(("list:", "object:", "text:")) else 64 * (MAX_UNKNOWN + 1))
    # Twelve bytes for each byte of the body: a copy of the object, or of the list as numbers.
    assert peak < 12 * 1_048_576


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(("route", "name", "body"), CASES, ids=[name for _, name, _ in CASES])
def test_a_refused_megabyte_gets_a_short_answer_with_its_place(
    api: httpx.Client, route: tuple[str, TypeAdapter[Any]], name: str, body: dict[str, Any]
) -> None:
    answer = api.post(route[0], content=json.dumps(body, separators=(",", ":")), headers=JSON)
    assert answer.status_code == 422
    assert len(answer.content) <= MAX_ANSWER_BYTES
    problem = answer.json()
    assert 1 <= len(problem["errors"]) <= MAX_ERRORS
    assert all(error["loc"][0] == "body" and error["msg"] for error in problem["errors"])
    assert ("errors are listed" in problem["detail"]) == name.startswith("entries:")


def test_the_first_twenty_errors_are_listed_and_the_rest_is_counted(api: httpx.Client) -> None:
    entries = [{"kind": "sgd", "lr": 0} for _ in range(30)]
    problem = api.post("/v1/jobs", json=SPEC | {"optimizers": entries}).json()
    assert [error["loc"] for error in problem["errors"]] == [["body", "optimizers", n, "lr"] for n in range(20)]
    assert problem["detail"].endswith("the first 20 of 30 errors are listed")


def test_some_unknown_fields_are_reported_one_by_one(api: httpx.Client) -> None:
    problem = api.post("/v1/jobs", json=SPEC | {"epoch": 3, "seed": 4}).json()
    assert [error["loc"] for error in problem["errors"]] == [["body", "epoch"], ["body", "seed"]]
    assert "errors are listed" not in problem["detail"]


def test_long_texts_are_shortened_and_errors_beyond_the_size_of_an_answer_are_left_out() -> None:
    errors = [{"loc": ["body", "k" * 5_000, 3], "msg": "\x01" * 9_000}] * 40
    kept = few(errors)
    assert 1 <= len(kept) < MAX_ERRORS
    assert len(json.dumps(kept)) < MAX_ANSWER_BYTES
    assert kept[0]["loc"][1].startswith("kkk")
    assert "more characters" in kept[0]["loc"][1]
    assert kept[0]["loc"][2] == 3


def test_a_long_path_is_shortened_in_an_answer(api: httpx.Client) -> None:
    answer = api.get(f"/v1/jobs/{'x' * 15_000}")
    assert answer.status_code == 404
    assert len(answer.content) < 10_000
