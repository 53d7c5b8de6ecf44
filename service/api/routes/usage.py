"""Route of the usage of a key: what it stores and what its jobs have open, with the limits."""

from fastapi import Response

from service.api.http.json_answers import answer
from service.api.routes.dependencies import TheCaller, TheDatabase, TheSettings, guarded
from service.api.schemas.usage import Bounded, Kept, OpenWork, UsageAnswer
from service.api.turns.routes import TurnRoute
from service.database.datasets import adding
from service.jobs import quotas

router = guarded("/v1", "jobs", TurnRoute)


@router.get("/usage", operation_id="get_usage", responses={200: {"model": UsageAnswer}})
def get_usage(caller: TheCaller, database: TheDatabase, settings: TheSettings) -> Response:
    """Get what the caller's key stores and what its jobs have open, each with its limit."""
    with database.snapshot() as session:
        size, unwritten = quotas.stored(session, caller.id), quotas.unwritten(session, caller.id)
        (jobs, runs), waiting = quotas.count_jobs(session, caller.id), quotas.open_jobs(session, caller.id)
        num_datasets, dataset_bytes = adding.stored(session, caller.id)
    return answer(
        UsageAnswer(
            jobs=Bounded(stored=jobs, open=waiting.jobs, limit=settings.max_open_jobs),
            runs=Bounded(stored=runs, open=waiting.runs, limit=settings.max_open_runs),
            rows=Bounded(stored=size.rows, open=unwritten.rows, limit=settings.max_stored_rows),
            bytes=Bounded(stored=size.bytes, open=unwritten.bytes, limit=settings.max_stored_bytes),
            work=OpenWork(open=waiting.work, limit=settings.max_open_work),
            datasets=Kept(stored=num_datasets, limit=settings.max_datasets),
            dataset_bytes=Kept(stored=dataset_bytes, limit=settings.max_stored_dataset_bytes),
        )
    )
