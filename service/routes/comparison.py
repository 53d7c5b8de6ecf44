"""Comparisons over HTTP: of the settings of one job, and of labels across jobs."""

from hashlib import blake2b
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service import jobs
from service.comparison import across
from service.comparison.job import compare
from service.errors import Rejected
from service.routes.answers import Documented, TheCaller, TheDatabase, answer
from service.schemas.across import AcrossAnswer
from service.schemas.answers import Problem
from service.schemas.comparison import ComparisonAnswer
from service.states import JOB_ENDED
from service.version import VERSION

router = APIRouter(prefix="/v1", tags=["comparison"])
NOT_FOUND: Documented = {404: {"model": Problem, "description": "There is no such job."}}
MAX_JOBS = 50
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


class AcrossQuery(BaseModel):
    """Which jobs to compare; anything else is refused."""

    model_config = ConfigDict(extra="forbid")

    jobs: str = Field(min_length=1, max_length=2_000, description="Ids of at most 50 jobs, comma-separated.")
    target: Target = None


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
    job_id: str, query: Annotated[ComparisonQuery, Query()], request: Request, caller: TheCaller, database: TheDatabase
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
        found = compare(session, job, baseline=query.baseline, target=query.target, tuned=query.tuned)
    return answer(ComparisonAnswer.model_validate(found), headers=headers)


@router.get("/comparison", operation_id="compare_jobs", responses={200: {"model": AcrossAnswer}, **NOT_FOUND})
def compare_jobs(query: Annotated[AcrossQuery, Query()], caller: TheCaller, database: TheDatabase) -> Response:
    """Compare the labels that several jobs share: performance profiles and runtime distributions."""
    ids = list(dict.fromkeys(one.strip() for one in query.jobs.split(",") if one.strip()))
    if not 1 <= len(ids) <= MAX_JOBS:
        sentence = f"give the ids of 1 to {MAX_JOBS} jobs, comma-separated (got {len(ids)})"
        raise Rejected(sentence, [{"loc": ["query", "jobs"], "msg": sentence}])
    with database.snapshot() as session:
        chosen = [jobs.find(session, one, caller) for one in ids]
        found = across.compare_across(session, chosen, query.target)
    return answer(AcrossAnswer.model_validate(found))
