"""Additions to the OpenAPI document that FastAPI generates from routes and models.

Operations get a summary, their errors and examples. Path parameters get a description. The unions in a spec get names,
which readers and generated clients can use.
"""

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.openapi_examples import EXAMPLES
from service.api.schemas.answers import ErrorPlace, Problem

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_KEY = "key"
_FASTAPI_DEFAULT = "Successful Response"
# Paths of routes that require a key.
_GUARDED = ("/v1/", "/metrics")

_EVERYWHERE = {
    "400": "The header Host names another server, or the cursor does not belong to this list.",
    "414": "The URL is too long.",
    "431": "The header is too large, or has too many fields.",
}
_UNDER_V1 = {
    "401": "The key is missing, wrong or revoked, or the session of the browser has ended.",
    "403": "The API has no keys and a proxy forwarded the request, a page of another origin sent a write, a cookie "
    "came with a write that is not the page's, or the key lacks the permission.",
    "406": "The header Accept allows no media type of this route.",
    "422": "Invalid values: `errors` gives the place of each, and what is allowed there.",
    "429": "Too many requests of the caller wait; retry after Retry-After seconds.",
    "503": "The database or the broker is unavailable, the disk is full, or the request waited too long; retry after "
    "Retry-After seconds.",
}
_WITH_BODY = {
    "413": "The body is too large.",
    "429": "The caller has reached a limit of open work or its storage quota, or too many requests of it wait; retry "
    "after Retry-After seconds.",
}

# In the order in which a new reader needs them.
TAGS = {
    "jobs": "Create, list, watch, cancel and delete jobs.",
    "runs": "Runs and their histories, as JSON, CSV, NDJSON or Parquet.",
    "comparison": "Comparison of labels: verdict, ranks and differences with simultaneous intervals.",
    "plots": "Plots of a job, as PNG or SVG.",
    "reports": "Reports of a job for a paper or a class, and bundles that can be trained again.",
    "catalogue": "Problems, optimizers, schedules and presets of which a job can consist.",
    "datasets": "Own tables, images and texts, and built-in ones.",
    "theory": "Limits and best settings by theory, without training.",
    "lessons": "Statements of teaching texts, tested by jobs.",
    "session": "Sign-in of a browser: a cookie instead of the key.",
    "operations": "Health, readiness and metrics, for operators.",
}

_PATH_PARAMETERS = {
    "job_id": "The `id` of a job.",
    "run": "The `id` of a run.",
    "name": "The `name` of a preset, as `GET /v1/presets` lists them.",
    "dataset_id": "The `id` of a dataset, or the name of a built-in one.",
    "lesson_id": "The `id` of a lesson, as `GET /v1/lessons` lists them.",
}

# Name and description of each union, by a member that no other union has.
_UNIONS = {
    "flipnet": ("TrainingProblem", "The problem to train on; `kind` selects the schema."),
    "sgd": ("OptimizerEntry", "An optimizer with its hyper-parameters; `kind` selects the schema."),
    "constant": ("Schedule", "The learning rate or momentum over the updates of a run; `kind` selects the schema."),
}
_KINDS = {"TrainingProblem": "problem", "OptimizerEntry": "optimizer", "Schedule": "schedule"}


def document_errors(app: FastAPI) -> None:
    """Add these descriptions to the OpenAPI document of an application."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=[{"name": name, "description": sentence} for name, sentence in TAGS.items()],
                license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            )
            app.openapi_schema = _completed(document)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this way to change the document.


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (Problem, ErrorPlace):
        schemas[model.__name__] = model.model_json_schema(
            mode="serialization", ref_template="#/components/schemas/{model}"
        )
        schemas[model.__name__].pop("$defs", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    named: dict[str, Any] = {}
    for name in schemas:
        schemas[name] = _with_named_unions(schemas[name], named)
    document["paths"] = _with_named_unions(document["paths"], named)
    schemas.update(named)
    _name_kinds(schemas, named)
    for name, schema in schemas.items():
        if name.startswith("Page_"):
            schema["description"] = "A page of a list; `next` is the cursor of the next page."
            schema["title"] = name.removeprefix("Page_").strip("_") + "Page"
    document["components"]["securitySchemes"] = {
        _KEY: {"type": "http", "scheme": "bearer", "description": "A key made by `ravine keys create`."}
    }
    for path, item in document["paths"].items():
        for operation in item.values():
            _complete(operation, schemas, is_guarded=path.startswith(_GUARDED))
    return document


def _with_named_unions(schema: Any, named: dict[str, Any]) -> Any:
    """Replace each union of problems, optimizers or schedules by a reference, and add the union to ``named``."""
    if isinstance(schema, list):
        return [_with_named_unions(one, named) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kinds = schema.get("discriminator", {}).get("mapping", {}) if "oneOf" in schema else {}
    for member, (name, sentence) in _UNIONS.items():
        if member in kinds:
            union = {key: schema[key] for key in ("oneOf", "discriminator")}
            named[name] = {"title": name, "description": sentence, **union}
            rest = {key: value for key, value in schema.items() if key not in union}
            return {"$ref": f"#/components/schemas/{name}", **rest}
    return {key: _with_named_unions(value, named) for key, value in schema.items()}


def _name_kinds(schemas: dict[str, Any], named: dict[str, Any]) -> None:
    """Describe the field `kind` of each member of a union."""
    for name, union in named.items():
        for kind, reference in union["discriminator"]["mapping"].items():
            field = schemas[reference.rpartition("/")[2]]["properties"]["kind"]
            field["description"] = f"The kind of {_KINDS[name]}: `{kind}`."


def _complete(operation: dict[str, Any], schemas: dict[str, Any], *, is_guarded: bool) -> None:
    # The first clause of the description; FastAPI would derive a summary from the name of the function.
    operation["summary"] = re.split(r"[.;:]", operation["description"], maxsplit=1)[0]
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter.setdefault("description", _PATH_PARAMETERS[parameter["name"]])
    answers = operation["responses"]
    common = dict(_EVERYWHERE)
    if is_guarded:
        common |= _UNDER_V1
        # The empty requirement means that the key is optional, as on a loopback address without keys.
        operation["security"] = [{_KEY: []}, {}]
    if "requestBody" in operation:
        common |= _WITH_BODY
        body = next(iter(operation["requestBody"]["content"].values()))
        body["examples"] = EXAMPLES[operation["operationId"]]
    for status, description in common.items():
        answers[status] = {"description": description}
    for status, response in answers.items():
        if status >= "400":
            response["content"] = _PROBLEM
        elif response["description"] == _FASTAPI_DEFAULT:
            model = response.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
            response["description"] = schemas.get(model.rpartition("/")[2], {}).get("description", "Done.")
    operation["responses"] = dict(sorted(answers.items()))
