"""Is this process up, and can it do its work?"""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from service.api.routes.answers import TheCaller, TheDatabase, TheDispatcher, answer
from service.api.schemas.answers import Problem
from service.api.schemas.catalogue import Health
from service.database.migrations import check
from service.errors import Forbidden
from service.settings import VERSION

router = APIRouter(tags=["operations"])


@router.get("/healthz", operation_id="get_health", responses={200: {"model": Health}})
def healthz() -> Response:
    """Tell that the process is up."""
    return answer({"status": "ok", "version": VERSION})


@router.get("/readyz", operation_id="get_readiness", responses={200: {"model": Health}, 503: {"model": Problem}})
def readyz(database: TheDatabase, dispatcher: TheDispatcher) -> Response:
    """Tell that database and broker are reachable; 503 says which is not."""
    check(database)
    dispatcher.check()
    return answer({"status": "ready", "version": VERSION})


@router.get(
    "/metrics",
    operation_id="get_service_metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus' text format."},
        401: {"model": Problem, "description": "The key is missing, wrong or revoked."},
        403: {"model": Problem, "description": "The key is not an admin's."},
    },
)
def metrics(request: Request, caller: TheCaller) -> Response:
    """Tell Prometheus of requests, queues, jobs, throughput and database. Where keys are needed, an admin's is."""
    if not caller.is_admin:
        raise Forbidden("only an admin's key may read the metrics of the service")
    # The version is the one that every scraper reads.
    return Response(generate_latest(request.app.state.measures.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
