"""The application: routes, middleware, error handlers, and the resources opened at the start and closed at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from service.api.creations import Creations
from service.api.doors.authentication import Authentication
from service.api.doors.foreign_pages import ForeignPages
from service.api.doors.head_requests import HeadRequests
from service.api.doors.middleware import BodyLimit, HostCheck, SecurityHeaders, host_names
from service.api.doors.plain_polls import PlainPolls
from service.api.doors.unread_bodies import UnreadBodies
from service.api.events.hub import Hub
from service.api.http.compression import Compression
from service.api.http.problem_details import answer_errors
from service.api.http.spool import Spool
from service.api.http.uploads import Uploads
from service.api.openapi import document_errors
from service.api.polling import Polls
from service.api.routes import (
    catalogue,
    comparison,
    datasets,
    events,
    jobs,
    landscape,
    lessons,
    operations,
    page,
    plots,
    presets,
    reference,
    reports,
    runs,
    session,
    status,
    theory,
    usage,
)
from service.api.stop_signals import before_stop
from service.api.turns.work import Work
from service.api.work_metrics import WorkMetrics
from service.database.connection import Database
from service.jobs.dispatch import QUEUES, Dispatcher, Sweep
from service.jobs.upkeep import Upkeep
from service.observing.measures import Measures
from service.observing.requests import RequestLog
from service.settings import VERSION, Settings, get_settings
from service.spec.datasets.decoded import DecodedTables

DESCRIPTION = (
    "Which optimizer, at which settings, wins on this problem, by how much, and how sure are we? "
    "POST a comparison, poll it, read every epoch of every run."
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make the application; uvicorn calls this function with ``--factory``."""
    settings = settings or get_settings()

    measures = Measures()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = Database(
            settings.database_url, timed=measures.transaction, min_free_bytes=settings.min_free_bytes
        )
        measures.registry.register(WorkMetrics(app.state.database, QUEUES))
        app.state.authentication = Authentication(app.state.database, settings)
        app.state.polls = Polls(app.state.database)
        app.state.dispatcher = Dispatcher(settings)
        app.state.creations = Creations(app.state.database, app.state.dispatcher, settings)
        app.state.spool = Spool(settings.spool_bytes, settings.spool_seconds)
        app.state.uploads = Uploads(settings.spool_bytes)
        app.state.tables = DecodedTables(settings)
        app.state.hub = Hub(app.state.database, settings.ping_seconds)
        sweep = Sweep(app.state.database, app.state.dispatcher, settings)
        upkeep = Upkeep(app.state.database, settings.sweep_seconds)
        sweep.start()
        upkeep.start()
        try:
            with before_stop(app.state.hub.close):
                yield
        finally:
            app.state.hub.close()
            await run_in_threadpool(sweep.stop)
            await run_in_threadpool(upkeep.stop)
            app.state.dispatcher.close()
            app.state.spool.close()
            app.state.database.close()

    app = FastAPI(
        title="Ravine",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        # FastAPI's own pages load scripts from foreign hosts; routes/reference.py replaces them.
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.measures = measures
    app.state.work = Work(settings)
    answer_errors(app)
    app.add_middleware(Compression)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(ForeignPages, allowed_hosts=host_names(settings.allowed_hosts))
    app.add_middleware(HostCheck, allowed_hosts=host_names(settings.allowed_hosts))
    app.add_middleware(SecurityHeaders)
    app.add_middleware(HeadRequests)
    app.add_middleware(
        PlainPolls, state=app.state, allowed_hosts=host_names(settings.allowed_hosts), route=status.STATUS
    )
    app.add_middleware(RequestLog, measures=measures)
    app.add_middleware(UnreadBodies, discard_bytes=settings.discard_bytes, discard_seconds=settings.discard_seconds)
    # Not by `include_router`, which would analyse the parameters of every route again, in the first request.
    app.router.routes += [
        status.STATUS,
        *(
            route
            for router in (
                jobs.router, runs.router, events.router, comparison.router, plots.router, reports.router,
                catalogue.router, presets.router, theory.router, landscape.router, lessons.router, datasets.router,
                usage.router, session.router, datasets.uploads, operations.router, reference.router, page.router,
            )
            for route in router.routes
        ),
    ]  # fmt: skip
    document_errors(app)
    return app
