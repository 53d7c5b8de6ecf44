"""The catalogue describes all kinds in words and in JSON Schema."""

from typing import Any

import httpx
import numpy as np
import pytest

from service.spec.formulas.expression import parse

pytestmark = pytest.mark.databases("sqlite")


@pytest.mark.parametrize("path", ["problems", "optimizers", "schedules"])
def test_every_entry_has_a_formula_a_reference_and_a_sentence_for_each_parameter(
    client: httpx.Client, path: str
) -> None:
    entries = client.get(f"/v1/{path}").json()["items"]
    assert entries
    for entry in entries:
        assert entry["kind"]
        assert entry["formula"]
        assert entry["reference"]
        assert entry["description"]
        for name, parameter in entry["parameters"]["properties"].items():
            assert parameter.get("description"), f"{entry['kind']}.{name}"


@pytest.mark.parametrize("path", ["problems", "optimizers", "schedules"])
def test_an_unchanged_catalogue_is_answered_304_without_a_body(client: httpx.Client, path: str) -> None:
    tag = client.get(f"/v1/{path}").headers["etag"]
    again = client.get(f"/v1/{path}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_optimizers_have_ranges_and_defaults(client: httpx.Client) -> None:
    entries = {entry["kind"]: entry["parameters"] for entry in client.get("/v1/optimizers").json()["items"]}
    assert {"sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "adagrad"} <= set(entries)
    momentum = entries["momentum"]["properties"]["momentum"]
    assert momentum["default"] == 0.9
    number = next(form for form in momentum["oneOf"] if form.get("type") == "number")
    assert (number["minimum"], number["exclusiveMaximum"]) == (0, 1)
    assert "lr" not in entries["adam"].get("required", [])
    assert entries["muon"]["properties"]["momentum"]["default"] == 0.95
    assert entries["adam"]["properties"]["eps"]["default"] == 1e-8


def test_optimizers_have_the_space_that_their_bare_kind_searches(client: httpx.Client) -> None:
    entries = {entry["kind"]: entry for entry in client.get("/v1/optimizers").json()["items"]}
    assert all(entry["default_space"]["lr"]["scale"] == "log" for entry in entries.values())
    assert list(entries["adam"]["default_space"]) == ["lr", "beta1", "beta2"]
    assert entries["adam"]["default_space"]["beta1"] == {"from": 0.5, "to": 0.995, "scale": "one_minus_log"}


def test_problems_have_the_epochs_of_a_job_that_gives_none(client: httpx.Client) -> None:
    epochs = {entry["kind"]: entry["default_epochs"] for entry in client.get("/v1/problems").json()["items"]}
    assert epochs == {"flipnet": 30, "surface": 200, "quadratic": 200, "digits": 20, "playground": 20, "data": 20}


def test_optimizers_have_the_size_of_their_state(client: httpx.Client) -> None:
    kept = {entry["kind"]: entry["state_per_parameter"] for entry in client.get("/v1/optimizers").json()["items"]}
    assert (kept["sgd"], kept["momentum"], kept["adam"], kept["lion"]) == (0, 1, 2, 1)


def test_surfaces_have_domain_minima_and_typical_start(client: httpx.Client) -> None:
    entries = {entry["kind"]: entry for entry in client.get("/v1/problems").json()["items"]}
    surfaces = {surface["name"]: surface for surface in entries["surface"]["surfaces"]}
    assert len(surfaces) == 22
    assert surfaces["ravine"]["start"] == [5.0, 2.0]
    assert surfaces["ravine"]["domain"] == [[-6, 6], [-3, 3]]
    assert surfaces["rosenbrock"]["minima"] == [{"position": [1.0, 1.0], "value": 0.0}]
    assert surfaces["saddle"]["minima"] == []
    assert len(surfaces["himmelblau"]["minima"]) == 4


def test_problems_have_their_criteria_with_scales_and_published_targets(client: httpx.Client) -> None:
    entries = {entry["kind"]: entry for entry in client.get("/v1/problems").json()["items"]}
    scales = {
        kind: {criterion["name"]: criterion["scale"] for criterion in entry["criteria"]}
        for kind, entry in entries.items()
    }
    losses = dict.fromkeys(("final_loss", "best_loss", "loss_area"), "log")
    assert scales["flipnet"] == {**losses, "epochs_to_target": "log"}
    assert scales["digits"] == {**scales["flipnet"], "test_loss": "log", "test_accuracy": "linear"}
    assert scales["surface"] == scales["quadratic"] == {**dict.fromkeys(losses, None), "epochs_to_target": "log"}
    defaults = {kind: entry["default_criterion"] for kind, entry in entries.items()}
    assert (defaults["flipnet"], defaults["digits"], defaults["playground"]) == ("final_loss", "test_loss", "test_loss")
    assert entries["flipnet"]["targets"] == sorted(entries["flipnet"]["targets"], reverse=True) != []
    assert entries["surface"]["targets"] == entries["quadratic"]["targets"] == []


def test_named_surfaces_have_the_scale_of_their_losses(client: httpx.Client) -> None:
    entries = {entry["kind"]: entry for entry in client.get("/v1/problems").json()["items"]}
    scales = {surface["name"]: surface["scale"] for surface in entries["surface"]["surfaces"]}
    linear = {name for name, scale in scales.items() if scale == "linear"}
    assert linear == {"slope", "saddle", "plateau", "mccormick"}


def test_health_and_readiness_are_answered(client: httpx.Client) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").json()["status"] == "ready"


@pytest.mark.slow
def test_the_openapi_document_describes_every_route(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) > 20
    assert all(operation.get("description") for operation in operations)


def test_jobs_can_be_filtered_by_every_kind_of_problem(client: httpx.Client) -> None:
    for entry in client.get("/v1/problems").json()["items"]:
        assert client.get("/v1/jobs", params={"problem": entry["kind"]}).status_code == 200


def executed(program: dict[str, Any], **inputs: Any) -> dict[str, Any]:
    """Execute a program as a client would, with numpy."""
    functions: dict[str, Any] = {
        "negative": np.negative, "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "pow": np.power,
        "<": np.less, "<=": np.less_equal, "==": np.equal, "!=": np.not_equal, "min": np.minimum, "max": np.maximum,
        "slope*": lambda a, b: np.where(a == 0, a, a * b), "slope/": lambda a, b: np.where(a == 0, a, a / b),
        "tensor_norm": lambda a: np.full_like(a, np.linalg.norm(a)),
    }  # fmt: skip
    values: list[Any] = []
    for operation, *operands in program["operations"]:
        if operation == "constant":
            values.append(float(operands[0]))
        elif operation == "input":
            values.append(inputs[operands[0]])
        else:
            function = functions.get(operation) or getattr(np, operation)
            values.append(function(*(values[at] for at in operands)))
    return {name: values[at] for name, at in program["outputs"].items()}


def test_programs_of_surfaces_compute_the_value_and_the_gradient(client: httpx.Client) -> None:
    entries = {entry["kind"]: entry for entry in client.get("/v1/problems").json()["items"]}
    x, y = np.random.default_rng(0).normal(size=(2, 20))
    for surface in entries["surface"]["surfaces"]:
        formula = parse(surface["formula"])
        expected = formula.compile(("value", *formula.variables))(np, x=x, y=y)
        found = executed(surface["program"], x=x, y=y)
        assert list(found) == ["value", *formula.variables]
        for one, other in zip(found.values(), expected, strict=True):
            np.testing.assert_array_equal(np.broadcast_to(one, x.shape), other, surface["name"])


def test_programs_of_optimizers_compute_an_update(client: httpx.Client) -> None:
    w, g = np.random.default_rng(1).normal(size=(2, 5))
    entries = {entry["kind"]: entry for entry in client.get("/v1/optimizers").json()["items"]}
    for kind, entry in entries.items():
        own = entry["as_formula"]
        assert (own is None) == (entry["program"] is None)
        if own:
            states = {name: np.full(5, start) for name, start in own.get("state", {}).items()}
            given = {"w": w, "g": g, "t": 1.0, "lr": own["lr"], **states, **own.get("parameters", {})}
            with np.errstate(all="ignore"):
                found = executed(entry["program"], **given)
            assert list(found) == ["w", *states], kind
            assert (found["w"] != w).all(), kind
    assert entries["formula"]["as_formula"] is None
    adam = entries["adam"]["as_formula"]
    assert adam["momentum"] == "beta1"
    assert adam["parameters"] == {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
    step = executed(entries["adam"]["program"], w=w, g=g, t=1.0, m=0.0, v=0.0, lr=0.01, **adam["parameters"])
    np.testing.assert_allclose(step["w"], w - 0.01 * g / (np.abs(g) + 1e-8))


def test_an_update_rule_of_a_user_gets_its_program_without_a_job(client: httpx.Client) -> None:
    rule = {"kind": "formula", "lr": 0.1, "state": {"v": 1}, "parameters": {"b": 0.5}}
    given = {**rule, "update": ["v = b v + g²", "w = w - lr*v/√(t)"]}
    found = client.post("/v1/optimizers/formula", json=given).raise_for_status().json()
    assert found["update"] == ["v = b*v + g**2", "w = w - lr*v/sqrt(t)"]
    new = executed(found["program"], w=np.ones(2), g=np.array([2.0, 3.0]), t=4.0, lr=0.1, b=0.5, v=1.0)
    np.testing.assert_allclose(new["v"], [4.5, 9.5])
    np.testing.assert_allclose(new["w"], [1 - 0.225, 1 - 0.475])
    # As an entry of a job, the rate may be left out.
    assert client.post("/v1/optimizers/formula", json={"kind": "formula", "update": ["w = w - lr*g"]}).is_success
    wrong = client.post("/v1/optimizers/formula", json={**rule, "update": ["w = w - lr*q"]})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["loc"] == ["body", "update", 0]
    assert "q" in wrong.json()["errors"][0]["msg"]
