"""Errors as application/problem+json (RFC 9457): one shape for every error, without tracebacks."""

import logging
from collections.abc import Sequence
from typing import Any, get_args

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from service.api.http.body_limits import body_limit
from service.api.http.error_limits import MAX_ERRORS, few
from service.api.http.problem_json import PROBLEM_JSON, problem_json
from service.api.http.security_headers import SECURITY_HEADERS
from service.database.connection import FULL_REMEDY
from service.database.outages import is_full, why_unavailable
from service.errors import ContentTooLarge, DiskFull, RavineError, Rejected, Unavailable
from service.spec.job import JobSpec
from service.spec.optimizers import OPTIMIZERS
from service.spec.problems import PROBLEMS
from service.spec.schedules import SCHEDULES

log = logging.getLogger("ravine.errors")

# Models of the parts of a spec, by the name of the part in the location of pydantic's errors.
_PARTS: dict[str, type[BaseModel]] = {"body": JobSpec} | {
    get_args(part.model_fields["kind"].annotation)[0]: part for part in (*OPTIMIZERS, *PROBLEMS, *SCHEDULES)
}


def answer_errors(app: FastAPI) -> None:
    """Install the exception handlers of an application: coroutines, because functions would wait for a thread."""

    @app.exception_handler(RavineError)
    async def _ours(request: Request, error: RavineError) -> Response:
        return answer_error(request, error)

    @app.exception_handler(RequestValidationError)
    async def _rejected(request: Request, error: RequestValidationError) -> Response:
        found = error.errors()
        errors = few([_place(one, error.body) for one in found[:MAX_ERRORS]])
        detail = f"{errors[0]['msg']} (at {'.'.join(map(str, errors[0]['loc']))})" if errors else "not accepted"
        if len(errors) < len(found):
            detail += f"; the first {len(errors)} of {len(found):,} errors are listed"
        return answer_error(request, Rejected(detail, errors))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 400 and error.__cause__ is not None:
            return answer_error(request, _unreadable(error.__cause__))
        if error.status_code == ContentTooLarge.status:
            return answer_error(request, too_large(body_limit(request.scope, request.app.state.settings)))
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_allowed(request))
        detail = f"{request.method} {request.url.path}: {error.detail}"
        return problem(request, error.status_code, str(error.detail), detail, headers=headers)

    @app.exception_handler(SQLAlchemyError)
    async def _database(request: Request, error: SQLAlchemyError) -> Response:
        reason = why_unavailable(error)
        if reason is None:
            return await _unexpected(request, error)
        if is_full(error):
            log.error("the disk of the database is full in %s %s: %s", request.method, request.url.path, error)
            return answer_error(request, DiskFull(f"the disk of the database is full: {FULL_REMEDY}"))
        log.error("the database failed in %s %s: %s", request.method, request.url.path, error)
        return answer_error(request, Unavailable(f"the database {reason}; try again"))

    @app.exception_handler(ClientDisconnect)
    async def _disconnected(request: Request, error: ClientDisconnect) -> Response:
        # Nobody gets this answer. Logs and metrics have the status that nginx uses.
        return Response(status_code=499)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        # Starlette runs this handler outside of the middleware, so RequestLog cannot add the request id.
        request_id = {"request_id": request.scope.get("request_id", "")}
        log.error("unexpected error in %s %s", request.method, request.url.path, exc_info=error, extra=request_id)
        answer = answer_error(
            request, RavineError("internal error of the server; its log has the details under the request id")
        )
        answer.headers["X-Request-ID"] = request_id["request_id"]
        return answer


def answer_error(request: Request, error: RavineError) -> Response:
    """Answer an error of the service."""
    errors = error.errors if isinstance(error, Rejected) else None
    return problem(request, error.status, error.title, error.detail, errors, error.headers)


def too_large(limit: int) -> ContentTooLarge:
    """Make the error for a body above the size limit."""
    return ContentTooLarge(f"the body is too large: at most {limit:,} bytes are allowed")


def _allowed(request: Request) -> list[str]:
    """List the methods of all routes with the path of a request."""
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    scopes = {method: {**request.scope, "method": method} for method in methods}
    allowed = [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    ]
    # head_requests.py answers HEAD for every route with GET.
    return [*allowed, "HEAD"] if "GET" in allowed and "HEAD" not in allowed else allowed


def _unreadable(cause: BaseException) -> Rejected:
    """Make the error for a body at which the JSON decoder fails without a location."""
    match cause:
        case RecursionError():
            reason = "this JSON is nested too deeply: a spec has at most ten levels"
        case UnicodeDecodeError():
            reason = f"this JSON is not UTF-8 at byte {cause.start}"
        case ValueError():
            reason = "this JSON has an integer of more than 4,300 digits"
        case _:
            reason = "this body cannot be read: send JSON in UTF-8"
    return Rejected.at("body", None, reason)


def problem(
    request: Request,
    status: int,
    title: str,
    detail: str,
    errors: Sequence[dict[str, Any]] | None = None,
    headers: Any = None,
) -> Response:
    """Answer application/problem+json."""
    body = problem_json(status, title, detail, request.url.path, errors)
    # Answers to unexpected errors do not pass the middleware that adds these headers.
    return Response(body, status, {**SECURITY_HEADERS, **(headers or {})}, media_type=PROBLEM_JSON)


def _place(found: Any, body: Any) -> dict[str, Any]:
    """Translate an error of pydantic: its location in the request, and what is allowed there."""
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
    """Remove from a location the names of union members, which pydantic adds and the request does not have."""
    place, here = [], body
    tag = None
    for at, part in enumerate(loc):
        if tag is not None and part == tag:
            # The kind of the object reached before. One of its fields may have the same name.
            tag = None
            continue
        inside = isinstance(here, dict) and part in here
        if inside or (isinstance(here, list) and isinstance(part, int) and part < len(here)):
            place.append(part)
            here = here[part]
            tag = here.get("kind") if isinstance(here, dict) else None
        elif at == len(loc) - 1 and isinstance(here, dict) and isinstance(part, str):
            place.append(part)  # A missing field.
    return place
