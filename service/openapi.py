"""What the OpenAPI document says about errors: every route names each answer that it may give, all of one shape."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.schemas.answers import ErrorPlace, Problem

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_KEY = "key"

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


def document_errors(app: FastAPI) -> None:
    """Let the document of an application name the errors, besides what its routes say themselves."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            app.openapi_schema = _with_errors(document)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to change the document.


def _with_errors(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (Problem, ErrorPlace):
        schemas[model.__name__] = model.model_json_schema(
            mode="serialization", ref_template="#/components/schemas/{model}"
        )
        schemas[model.__name__].pop("$defs", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["securitySchemes"] = {
        _KEY: {"type": "http", "scheme": "bearer", "description": "A key of `ravine keys create`."}
    }
    for path, item in document["paths"].items():
        for operation in item.values():
            _complete(operation, is_guarded=path.startswith("/v1/"))
    return document


def _complete(operation: dict[str, Any], *, is_guarded: bool) -> None:
    answers = operation["responses"]
    common = dict(_EVERYWHERE)
    if is_guarded:
        common |= _UNDER_V1
        # An open API needs no key: the empty requirement says so.
        operation["security"] = [{_KEY: []}, {}]
    if "requestBody" in operation:
        common |= _WITH_BODY
    for status, description in common.items():
        answers[status] = {"description": description}
    for status, said in answers.items():
        if status >= "400":
            said["content"] = _PROBLEM
    operation["responses"] = dict(sorted(answers.items()))
