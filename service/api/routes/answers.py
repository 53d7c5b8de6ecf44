"""What all routes share: the state of the process, and JSON that tells NaN and both infinities apart."""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import chain
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from service.api.doors.authentication import Authentication
from service.database.connection import Database
from service.jobs.dispatch import Dispatcher
from service.jobs.owners import Caller
from service.settings import Settings

# What a stream sends at once; a page of 500 short histories is less and needs none.
PIECE_BYTES = 1 << 20
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


async def _caller(request: Request) -> Caller:
    """Tell who asks; the dependency of all routes under /v1, which app.py gives them."""
    authentication: Authentication = request.app.state.authentication
    server = request.scope.get("server")
    asking = request.headers.get("authorization"), server[0] if server else None
    known = authentication.remembered(*asking)
    return known if known is not None else await run_in_threadpool(authentication.caller, *asking)


identified = Depends(_caller)
TheCaller = Annotated[Caller, identified]
TheDatabase = Annotated[Database, Depends(_database)]
TheDispatcher = Annotated[Dispatcher, Depends(_dispatcher)]
TheSettings = Annotated[Settings, Depends(_settings)]


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer JSON; what is not finite becomes "NaN", "Infinity" or "-Infinity"."""
    return Response(to_json(content, inf_nan_mode="strings"), status, headers, media_type="application/json")


def stream(pieces: Iterator[bytes]) -> Response:
    """Answer JSON that comes in pieces: at once where it is short, else piece by piece as the client takes them.

    What fails before the first piece is sent is answered as any error is; later the connection breaks off.
    """
    gathered = _gathered(pieces)
    first, second = next(gathered, b""), next(gathered, None)
    if second is None:
        return Response(first, media_type="application/json")
    return StreamingResponse(chain((first, second), gathered), media_type="application/json")


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join small pieces: each that is sent costs a change of threads."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= PIECE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def tagged(content: Any) -> tuple[bytes, str]:
    """Give content as JSON, and its ETag."""
    body = to_json(content, inf_nan_mode="strings")
    return body, f'"{blake2b(body, digest_size=12).hexdigest()}"'


def answer_unless_known(request: Request, body: bytes, tag: str) -> Response:
    """Answer with an ETag, or 304 without a body where the client has just this already."""
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
