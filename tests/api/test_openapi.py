"""The OpenAPI document: descriptions of everything, valid examples, and a generated client."""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator

from service.api.app import create_app
from service.api.openapi import TAGS
from service.spec.optimizers import OPTIMIZERS
from service.spec.problems import PROBLEMS
from service.spec.schedules import SCHEDULES
from tests.deciding import CLOSE
from tests.servers import Stack, until, wait_for_job

METHODS = {"get", "put", "post", "delete", "patch"}
VERBS = {
    "ask", "cancel", "change", "continue", "compare", "create", "delete", "draw", "get", "list", "run", "watch",
}  # fmt: skip


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as answered to a client."""
    document: dict[str, Any] = json.loads(json.dumps(create_app().openapi()))
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield path, method, operation


def is_sentence(text: Any) -> bool:
    return isinstance(text, str) and len(text) > 3 and text[-1] in ".)`"


def test_every_field_of_every_schema_is_described(document: dict[str, Any]) -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, said in schema.get("properties", {}).items()
        if not said.get("description")
    ]
    assert silent == []


def test_every_schema_is_described_and_has_a_title(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []
    assert [name for name, schema in schemas.items() if not schema.get("title")] == []


def test_every_operation_has_a_summary_and_a_description(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        assert is_sentence(operation["description"]), (method, path)
        assert 8 < len(operation["summary"]) <= 90, (method, path)
        assert operation["description"].startswith(operation["summary"]), (method, path)


def test_every_parameter_and_every_answer_is_described(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert is_sentence(parameter.get("description")), (method, path, parameter["name"])
        for status, said in operation["responses"].items():
            assert said["description"] not in {"", "Successful Response"}, (method, path, status)
            for media_type, content in said.get("content", {}).items():
                if media_type == "application/json":
                    assert content["schema"], (method, path, status)


def test_tags_are_described_in_the_order_of_reading(document: dict[str, Any]) -> None:
    assert [tag["name"] for tag in document["tags"]] == list(TAGS)
    assert all(is_sentence(tag["description"]) for tag in document["tags"])
    used = {tag for _, _, operation in operations(document) for tag in operation["tags"]}
    assert used == set(TAGS)


def test_operation_ids_are_verbs_fit_for_generated_clients(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    for name in ids:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name), name
        assert name.partition("_")[0] in VERBS, name


@pytest.mark.parametrize(
    ("name", "members"), [("TrainingProblem", PROBLEMS), ("OptimizerEntry", OPTIMIZERS), ("Schedule", SCHEDULES)]
)
def test_unions_have_names_and_discriminators(document: dict[str, Any], name: str, members: tuple[Any, ...]) -> None:
    schemas = document["components"]["schemas"]
    union = schemas[name]
    mapping = union["discriminator"]["mapping"]
    assert union["discriminator"]["propertyName"] == "kind"
    assert len(mapping) == len(union["oneOf"]) == len(members)
    for kind, reference in mapping.items():
        assert schemas[reference.rpartition("/")[2]]["properties"]["kind"]["const"] == kind
    # The union occurs only once in the document.
    assert json.dumps(document).count(json.dumps(union["oneOf"])) == 1


def test_an_entry_of_an_installed_class_is_described(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    forms = schemas["JobSpec"]["properties"]["optimizers"]["items"]["anyOf"]
    assert {"$ref": "#/components/schemas/OptimizerEntry"} in forms
    assert {"$ref": "#/components/schemas/Plugin"} in forms
    entry = schemas["Plugin"]
    checked = Draft202012Validator({**entry, "components": {"schemas": schemas}})
    own = {"kind": "lion2", "lr": 0.1, "beta1": [0.5, 0.9], "weight_decay": {"from": 0, "to": 1, "num": 2}}
    assert checked.is_valid({**own, "amsgrad": True})
    # A kind of the service is described by its own schema, and a hyper-parameter is a number or a flag.
    assert not checked.is_valid({**own, "kind": "adam"})
    assert not checked.is_valid({**own, "beta1": "0.9"})
    # A bare kind is a word; those of the service are listed.
    words = [form for form in forms if form.get("type") == "string"]
    assert "adam" in words[0]["enum"]
    assert Draft202012Validator(words[1]).is_valid("lion2")
    assert not Draft202012Validator(words[1]).is_valid("adam")


def test_numbers_that_may_not_be_finite_say_so(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Number"]["anyOf"] == [
        {"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]},
    ]  # fmt: skip
    assert {"$ref": "#/components/schemas/Number"} in schemas["RunAnswer"]["properties"]["final_loss"]["anyOf"]


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    references = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document))
    assert set(references) <= set(schemas)
    assert set(schemas) <= set(references)


@pytest.mark.slow
def test_every_example_of_a_body_gets_the_documented_answer(document: dict[str, Any], client: httpx.Client) -> None:
    posted = 0
    for path, method, operation in operations(document):
        if "requestBody" not in operation:
            continue
        media_type, body = next(iter(operation["requestBody"]["content"].items()))
        examples = body["examples"]
        assert examples
        expected = max(status for status in operation["responses"] if status < "300")
        for name, example in examples.items():
            assert example["summary"]
            if operation["operationId"] in ("change_job", "continue_job"):
                path = path.format(job_id=wait_for_job(client, client.post("/v1/jobs", json=CLOSE).json()["id"])["id"])
            value = example["value"]
            content = json.dumps(value) if media_type == "application/json" else value
            answer = client.request(method, path, content=content, headers={"Content-Type": media_type})
            assert answer.status_code == int(expected), (name, answer.text)
            posted += 1
            if operation["operationId"] in ("create_job", "continue_job"):
                client.post(f"/v1/jobs/{answer.json()['id']}/cancel")
    assert posted >= 6


@pytest.fixture(scope="module")
def made_client(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a client package generated from the document."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(document))
    # Without formatting, which takes longer than the generation.
    (folder / "config.yml").write_text("post_hooks: []\n")
    options = ["--path", "openapi.json", "--meta", "none", "--output-path", "made_client", "--config", "config.yml"]
    command = [sys.executable, "-m", "openapi_python_client", "generate", *options]
    generated = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180)
    assert generated.returncode == 0, generated.stdout + generated.stderr
    # The generator supports all routes except plots, bundles and the upload of files.
    assert set(re.findall(r"WARNING parsing (.*) within", generated.stdout + generated.stderr)) == {
        *(f"GET /v1/jobs/{{job_id}}/{name}" for name in ("plot.png", "plot.svg", "bundle")),
        "POST /v1/datasets",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield "made_client"


@pytest.mark.slow
def test_a_generated_client_runs_a_job_to_its_end(made_client: str, stack: Stack) -> None:
    made, models = importlib.import_module(made_client), importlib.import_module(f"{made_client}.models")
    create_job, get_job = (
        importlib.import_module(f"{made_client}.api.jobs.{name}") for name in ("create_job", "get_job")
    )
    list_runs = importlib.import_module(f"{made_client}.api.runs.list_runs")
    spec = models.JobSpec(
        problem=models.FlipNet(kind="flipnet"),
        optimizers=[models.Momentum(kind="momentum", lr=0.05, label="ours"), models.SGD(kind="sgd", lr=[0.01, 1e9])],
        epochs=3,
    )
    with made.Client(base_url=stack.url, httpx_args={"trust_env": False}) as connection:
        job = create_job.sync(client=connection, body=spec)
        assert isinstance(job, models.JobAnswer), job
        job_id = job.id
        until(lambda: get_job.sync(job_id, client=connection).status in ("completed", "failed", "cancelled"))
        job = get_job.sync(job_id, client=connection)
        assert isinstance(job, models.JobAnswer)
        runs = list_runs.sync(job.id, client=connection)
    assert job.status == "completed"
    assert [run.label for run in runs.items] == ["ours", "sgd lr=0.01", "sgd lr=1000000000"]
    assert isinstance(runs.items[0].final_loss, float)
    assert runs.items[2].status == "diverged"
