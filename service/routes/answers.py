"""What all routes share: the state of the process, and JSON that tells NaN and both infinities apart."""

from hashlib import blake2b
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from service.authentication import Authentication
from service.database import Database
from service.dispatch import Dispatcher
from service.keys import Caller
from service.settings import Settings

# What else a route may answer, for the OpenAPI document.
Documented = dict[int | str, dict[str, Any]]
Limit = Annotated[int, Field(ge=1, le=500, description="Items on a page.")]


class PageQuery(BaseModel):
    """What every list understands; anything else is refused."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 50
    cursor: str | None = Field(None, max_length=200, description="`next` of the page before.")


# Coroutines, because FastAPI sends a plain function to another thread.
async def _database(request: Request) -> Database:
    return request.app.state.database  # type: ignore[no-any-return]


async def _dispatcher(request: Request) -> Dispatcher:
    return request.app.state.dispatcher  # type: ignore[no-any-return]


async def _settings(request: Request) -> Settings:
    return request.app.state.settings  # type: ignore[no-any-return]


def _caller(request: Request) -> Caller:
    """Tell who asks; the dependency of all routes under /v1, which app.py gives them."""
    authentication: Authentication = request.app.state.authentication
    server = request.scope.get("server")
    return authentication.caller(request.headers.get("authorization"), server[0] if server else None)


identified = Depends(_caller)
TheCaller = Annotated[Caller, identified]
TheDatabase = Annotated[Database, Depends(_database)]
TheDispatcher = Annotated[Dispatcher, Depends(_dispatcher)]
TheSettings = Annotated[Settings, Depends(_settings)]


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer JSON; what is not finite becomes "NaN", "Infinity" or "-Infinity"."""
    return Response(to_json(content, inf_nan_mode="strings"), status, headers, media_type="application/json")


def answer_unless_known(request: Request, content: Any) -> Response:
    """Answer with an ETag, or 304 without a body where the client has just this already."""
    body = to_json(content, inf_nan_mode="strings")
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
