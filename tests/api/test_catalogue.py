"""The catalogue describes all kinds in words and in JSON Schema."""

import httpx
import pytest


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
    assert epochs == {"flipnet": 30, "surface": 200, "quadratic": 200, "digits": 20, "playground": 20}


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


def test_the_openapi_document_describes_every_route(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) > 20
    assert all(operation.get("description") for operation in operations)


def test_jobs_can_be_filtered_by_every_kind_of_problem(client: httpx.Client) -> None:
    for entry in client.get("/v1/problems").json()["items"]:
        assert client.get("/v1/jobs", params={"problem": entry["kind"]}).status_code == 200
