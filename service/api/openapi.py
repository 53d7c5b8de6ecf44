"""What the OpenAPI document says besides what routes and models say themselves, so that it reads as documentation.

Every operation gets a summary, its errors, and its examples; parameters of paths get their meaning; and the unions that
a spec is made of get names of their own, which readers and generated clients can use.
"""

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.openapi_examples import EXAMPLES
from service.api.schemas.answers import ErrorPlace, Problem

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_KEY = "key"
_FASTAPIS_WORDS = "Successful Response"
# Routes outside of /v1 that ask for a key.
_GUARDED = ("/v1/", "/metrics")

_EVERYWHERE = {"400": "The header Host names another server, or the cursor was not given out by this API."}
_UNDER_V1 = {
    "401": "The key is missing, wrong or revoked.",
    "406": "The header Accept allows nothing that this route answers.",
    "422": "Not accepted: `errors` names each place and what is allowed there.",
    "503": "The database cannot be used now; Retry-After says when to ask again.",
}
_WITH_BODY = {
    "413": "The body is too large.",
    "429": "The caller has as much waiting and running as one may have; Retry-After says when to ask again.",
}

# In the order in which somebody who is new here wants to read them.
TAGS = {
    "jobs": "Submit a comparison, follow it, stop it, delete it.",
    "runs": "What became of each run, and every epoch of its history: as JSON, CSV, NDJSON or Parquet.",
    "comparison": "Who won, by how much, and how sure that is.",
    "plots": "Pictures of a job, as PNG or SVG.",
    "catalogue": "What a job may be made of: problems, optimizers, schedules, and experiments that have names.",
    "theory": "What theory says of a setting before anything runs.",
    "lessons": "Statements of teaching texts, put to the test.",
    "operations": "Whether the service is well, for those who run it.",
}

_PATH_PARAMETERS = {
    "job_id": "The `id` of a job.",
    "run": "The `id` of a run.",
    "name": "The `name` of a preset, as `GET /v1/presets` lists them.",
    "lesson_id": "The `id` of a lesson, as `GET /v1/lessons` lists them.",
}

# Unions by the members that only they have, each with the name and the sentence that it gets.
_UNIONS = {
    "flipnet": ("TrainingProblem", "What is trained on; `kind` says which of these it is."),
    "sgd": ("OptimizerEntry", "An optimizer with its hyper-parameters; `kind` says which of these it is."),
    "constant": ("Schedule", "How a rate or a momentum changes during a run; `kind` says which of these it is."),
}
_KINDS = {"TrainingProblem": "problem", "OptimizerEntry": "optimizer", "Schedule": "schedule"}


def document_errors(app: FastAPI) -> None:
    """Let the document of an application say all of this, besides what its routes say themselves."""

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

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to change the document.


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
            schema["description"] = "A page of a list; the next one begins at the cursor `next`."
            schema["title"] = name.removeprefix("Page_").strip("_") + "Page"
    document["components"]["securitySchemes"] = {
        _KEY: {"type": "http", "scheme": "bearer", "description": "A key of `ravine keys create`."}
    }
    for path, item in document["paths"].items():
        for operation in item.values():
            _complete(operation, schemas, is_guarded=path.startswith(_GUARDED))
    return document


def _with_named_unions(schema: Any, named: dict[str, Any]) -> Any:
    """Put a reference in the place of each union of problems, optimizers or schedules, and note what it stands for."""
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
            field["description"] = f"Says that this {_KINDS[name]} is `{kind}`."


def _complete(operation: dict[str, Any], schemas: dict[str, Any], *, is_guarded: bool) -> None:
    # The first clause of what the route says of itself; FastAPI would make words of the function's name.
    operation["summary"] = re.split(r"[.;:]", operation["description"], maxsplit=1)[0]
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter.setdefault("description", _PATH_PARAMETERS[parameter["name"]])
    answers = operation["responses"]
    common = dict(_EVERYWHERE)
    if is_guarded:
        common |= _UNDER_V1
        # An open API needs no key: the empty requirement says so.
        operation["security"] = [{_KEY: []}, {}]
    if "requestBody" in operation:
        common |= _WITH_BODY
        body = operation["requestBody"]["content"]["application/json"]
        body["examples"] = EXAMPLES[operation["operationId"]]
    for status, description in common.items():
        answers[status] = {"description": description}
    for status, said in answers.items():
        if status >= "400":
            said["content"] = _PROBLEM
        elif said["description"] == _FASTAPIS_WORDS:
            answered = said.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
            said["description"] = schemas.get(answered.rpartition("/")[2], {}).get("description", "Done.")
    operation["responses"] = dict(sorted(answers.items()))
