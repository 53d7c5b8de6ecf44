"""Dependencies of the routes: caller, database, dispatcher, turns, settings, and the query of a list."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from service.api.doors.authentication import Authentication
from service.api.doors.identification import identify
from service.api.http.negotiation import negotiated
from service.api.turns.work import Work
from service.database.connection import Database
from service.jobs.dispatch import Dispatcher
from service.jobs.owners import Caller
from service.settings import Settings

# Further answers of a route, for the OpenAPI document.
Documented = dict[int | str, dict[str, Any]]
Limit = Annotated[int, Field(ge=1, le=500, description="Items on a page.")]


class PageQuery(BaseModel):
    """Query parameters of every list; unknown ones are rejected."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 50
    cursor: str | None = Field(None, max_length=200, description="`next` of the previous page.")


# Coroutines, because FastAPI runs a plain function in another thread.
async def _database(request: Request) -> Database:
    return request.app.state.database  # type: ignore[no-any-return]


async def _dispatcher(request: Request) -> Dispatcher:
    return request.app.state.dispatcher  # type: ignore[no-any-return]


async def _settings(request: Request) -> Settings:
    return request.app.state.settings  # type: ignore[no-any-return]


async def _work(request: Request) -> Work:
    return request.app.state.work  # type: ignore[no-any-return]


async def _authentication(request: Request) -> Authentication:
    return request.app.state.authentication  # type: ignore[no-any-return]


identified = Depends(identify)
TheCaller = Annotated[Caller, identified]
TheAuthentication = Annotated[Authentication, Depends(_authentication)]
TheDatabase = Annotated[Database, Depends(_database)]
TheDispatcher = Annotated[Dispatcher, Depends(_dispatcher)]
TheSettings = Annotated[Settings, Depends(_settings)]
TheWork = Annotated[Work, Depends(_work)]


def guarded(prefix: str, tag: str, route_class: type[APIRoute] = APIRoute) -> APIRouter:
    """Make a router whose routes require a caller and an acceptable media type, as all routes under /v1 do."""
    return APIRouter(prefix=prefix, tags=[tag], dependencies=[identified, negotiated], route_class=route_class)
