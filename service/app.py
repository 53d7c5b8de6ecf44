"""The API of one process: its routes, its errors, and what it opens and closes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from service import version
from service.database import Database
from service.dispatch import Dispatcher, Sweep
from service.problem_details import answer_errors
from service.routes import catalogue, jobs, lessons, operations, presets, runs, theory
from service.schemas import Problem
from service.settings import Settings, get_settings

DESCRIPTION = (
    "Which optimizer, at which settings, wins on this problem, by how much, and how sure are we? "
    "POST a comparison, poll it, read every epoch of every run."
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application; uvicorn calls this with ``--factory``."""
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.settings = settings
        app.state.database = Database(settings.database_url)
        app.state.dispatcher = Dispatcher(settings)
        sweep = Sweep(app.state.database, app.state.dispatcher, settings)
        sweep.start()
        try:
            yield
        finally:
            await run_in_threadpool(sweep.stop)
            app.state.dispatcher.close()
            app.state.database.close()

    app = FastAPI(
        title="Ravine",
        version=version.VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        responses={422: {"model": Problem, "content": {"application/problem+json": {}}}},
    )
    answer_errors(app)
    for routes in (jobs, runs, catalogue, presets, theory, lessons, operations):
        app.include_router(routes.router)
    return app
