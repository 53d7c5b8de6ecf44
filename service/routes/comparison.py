"""Comparisons over HTTP: of the settings of one job, and of labels across jobs."""

from hashlib import blake2b
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service import comparison, jobs
from service.routes.answers import Documented, TheCaller, TheDatabase, answer
from service.schemas import Problem
from service.schemas_comparison import ComparisonAnswer
from service.states import JOB_ENDED
from service.version import VERSION

router = APIRouter(prefix="/v1", tags=["comparison"])
NOT_FOUND: Documented = {404: {"model": Problem, "description": "There is no such job."}}
Target = Annotated[
    float | None,
    Field(
        allow_inf_nan=False, description="Loss to reach; by default the spec's, else the baseline's median final loss."
    ),
]


class ComparisonQuery(BaseModel):
    """What to compare with what; anything else is refused."""

    model_config = ConfigDict(extra="forbid")

    baseline: str | None = Field(
        None, max_length=500, description="Label of what the others are compared with; by default the first."
    )
    target: Target = None
    tuned: bool = Field(False, description="Tune each label on half of the pairs and judge it on the other half.")


@router.get(
    "/jobs/{job_id}/comparison",
    operation_id="get_comparison",
    responses={
        200: {"model": ComparisonAnswer},
        304: {"description": "The job has ended, and this was answered before."},
        **NOT_FOUND,
    },
)
def get_comparison(
    job_id: str,
    query: Annotated[ComparisonQuery, Query()],
    request: Request,
    caller: TheCaller,
    database: TheDatabase,
) -> Response:
    """Tell who won, by how much, and how sure that is. What is asked again of a job that has ended costs 304."""
    with database.snapshot() as session:
        job = jobs.find(session, job_id, caller)
        headers = {"Cache-Control": "no-cache"}
        if job.status in JOB_ENDED:
            # Nothing changes any more: the tag is known before the answer is computed.
            asked = f"{VERSION} {job.id} {job.status} {query.model_dump_json()}"
            headers["ETag"] = f'"{blake2b(asked.encode(), digest_size=12).hexdigest()}"'
            known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
            if headers["ETag"] in known:
                return Response(status_code=304, headers=headers)
        found = comparison.compare(session, job, baseline=query.baseline, target=query.target, tuned=query.tuned)
    return answer(ComparisonAnswer.model_validate(found), headers=headers)
