"""How every error becomes an answer: one place, one shape (RFC 9457), never a traceback."""

import logging
from collections.abc import Sequence
from typing import Any, get_args

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from starlette.exceptions import HTTPException

from service.errors import RavineError, Rejected
from service.spec.job import JobSpec
from service.spec.optimizers import OPTIMIZERS
from service.spec.problems import PROBLEMS
from service.spec.schedules import SCHEDULES

log = logging.getLogger("ravine.errors")

# Which fields a part of the spec has, by what pydantic calls the part in the place of an error.
_PARTS: dict[str, type[BaseModel]] = {"body": JobSpec} | {
    get_args(part.model_fields["kind"].annotation)[0]: part for part in (*OPTIMIZERS, *PROBLEMS, *SCHEDULES)
}


def answer_errors(app: FastAPI) -> None:
    """Teach an application to answer every error in the API's own words."""

    @app.exception_handler(RavineError)
    def _ours(request: Request, error: RavineError) -> Response:
        errors = error.errors if isinstance(error, Rejected) else None
        headers = {"Retry-After": "2"} if error.status == 503 else None
        return problem(request, error.status, error.title, error.detail, errors, headers)

    @app.exception_handler(RequestValidationError)
    def _rejected(request: Request, error: RequestValidationError) -> Response:
        errors = [_place(found, error.body) for found in error.errors()]
        detail = f"{errors[0]['msg']} (at {'.'.join(map(str, errors[0]['loc']))})" if errors else "not accepted"
        return problem(request, 422, Rejected.title, detail, errors)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        detail = f"{request.method} {request.url.path}: {error.detail}"
        return problem(request, error.status_code, str(error.detail), detail, headers=error.headers)

    @app.exception_handler(OperationalError)
    def _database(request: Request, error: DBAPIError) -> Response:
        log.error("the database failed: %s", error.orig)
        return problem(
            request, 503, "Unavailable", f"the database cannot be used now: {error.orig}", headers={"Retry-After": "2"}
        )

    @app.exception_handler(InternalError)
    def _read_only(request: Request, error: InternalError) -> Response:
        # PostgreSQL's "read_only_sql_transaction", a standby for one, is to psycopg no operational error.
        if getattr(error.orig, "sqlstate", None) == "25006":
            return _database(request, error)
        return _unforeseen(request, error)

    @app.exception_handler(Exception)
    def _unforeseen(request: Request, error: Exception) -> Response:
        log.error("unforeseen error in %s %s", request.method, request.url.path, exc_info=error)
        kind = "the database refused" if isinstance(error, DBAPIError) else "an error of ours"
        return problem(request, 500, RavineError.title, f"{kind}; the log of the server has the details")


def problem(
    request: Request,
    status: int,
    title: str,
    detail: str,
    errors: Sequence[dict[str, Any]] | None = None,
    headers: Any = None,
) -> Response:
    """Answer application/problem+json."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    if errors:
        content["errors"] = errors
    return Response(to_json(content), status, headers=headers, media_type="application/problem+json")


def _place(found: Any, body: Any) -> dict[str, Any]:
    """Say where something is wrong in the words of the request, and what is allowed there."""
    loc: list[Any] = list(found["loc"])
    message = found["msg"].removeprefix("Value error, ")
    match found["type"]:
        case "extra_forbidden":
            part = _PARTS.get(str(loc[-2])) if len(loc) > 1 else None
            known = f"; there are {', '.join(part.model_fields)}" if part else ""
            message = f"there is no field {loc[-1]!r} here{known}"
        case "union_tag_invalid":
            tag, expected = found["ctx"]["tag"], found["ctx"]["expected_tags"].replace("'", "")
            loc, message = [*loc, "kind"], f"there is no kind {tag!r}; there are {expected}"
        case "union_tag_not_found":
            loc, message = [*loc, "kind"], "a kind must be given"
        case "json_invalid":
            loc, message = ["body"], f"this is not JSON: {found['ctx']['error']}"
    if loc and loc[0] == "body":
        loc = ["body", *_without_tags(loc[1:], body)]
    return {"loc": loc, "msg": message}


def _without_tags(loc: list[Any], body: Any) -> list[Any]:
    """Leave out of a place what is not in the request: the names of the union members that pydantic tried."""
    place, here = [], body
    tag = None
    for at, part in enumerate(loc):
        if tag is not None and part == tag:
            # The kind of what has just been reached, which may also be the name of one of its fields.
            tag = None
            continue
        inside = isinstance(here, dict) and part in here
        if inside or (isinstance(here, list) and isinstance(part, int) and part < len(here)):
            place.append(part)
            here = here[part]
            tag = here.get("kind") if isinstance(here, dict) else None
        elif at == len(loc) - 1 and isinstance(here, dict) and isinstance(part, str):
            place.append(part)  # A field that is missing.
    return place
