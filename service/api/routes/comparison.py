"""Comparisons over HTTP: of the settings of one job, and of labels across jobs."""

from functools import partial
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.api.http.conditional import not_modified, tag_headers, tag_of
from service.api.http.json_answers import JSON, json_bytes
from service.api.routes.dependencies import TheCaller, TheDatabase, TheWork, guarded
from service.api.routes.stored import NO_JOB, Standing, find_job, standing
from service.api.schemas.across import AcrossAnswer
from service.api.schemas.comparison import ComparisonAnswer
from service.api.schemas.heat_map import AxisAnswer, HeatMapAnswer
from service.api.turns.shared_answers import Computed
from service.api.turns.work import Work
from service.database.connection import Database
from service.errors import Rejected
from service.findings.comparison import across
from service.findings.comparison.heat_map import Value, Wanted, read_heat_map
from service.findings.comparison.job import compare
from service.findings.comparison.measured import read_table
from service.jobs import lifecycle
from service.jobs.owners import Caller
from service.spec.criteria import Criterion
from service.spec.fields import NO_ZERO_CHARACTER

router = guarded("/v1", "comparison")
MAX_JOBS = 50
Target = Annotated[
    float | None,
    Field(allow_inf_nan=False, description="Loss to reach; by default the spec's, else one that favours no label."),
]


Name = Annotated[str, Field(max_length=500, pattern=NO_ZERO_CHARACTER)]


class ComparisonQuery(BaseModel):
    """Parameters of a comparison; unknown ones are rejected."""

    model_config = ConfigDict(extra="forbid")

    baseline: str | None = Field(
        None, max_length=500, description="Label with which the others are compared; by default the first."
    )
    target: Target = None
    tuned: bool | None = Field(
        None,
        description="Choose one setting of each label by half of the seeds and judge it by the other half; by default "
        "where a label has several settings. False compares every setting, at most 64.",
    )
    criterion: Criterion | None = Field(
        None, description="Quantity by which labels are compared; by default the spec's, else the problem's."
    )


class GridQuery(BaseModel):
    """Parameters of a heat map; unknown ones are rejected."""

    model_config = ConfigDict(extra="forbid")

    value: Value = Field("final_loss", description="The quantity shown in each cell.")
    label: Name | None = Field(
        None, description="Label of the entry; by default the first with at least two varying hyper-parameters."
    )
    x: Name | None = Field(None, description="Hyper-parameter of the x axis; by default the learning rate.")
    y: Name | None = Field(None, description="Hyper-parameter of the y axis; by default the next one that varies.")
    target: float | None = Field(
        None, allow_inf_nan=False, description="Loss to reach, for epochs_to_target; by default the spec's."
    )


class AcrossQuery(BaseModel):
    """Parameters of a comparison across jobs; unknown ones are rejected."""

    model_config = ConfigDict(extra="forbid")

    jobs: str = Field(min_length=1, max_length=2_000, description="Ids of at most 50 jobs, comma-separated.")
    target: float | None = Field(
        None,
        allow_inf_nan=False,
        description="Loss to reach in every job; by default that of each spec, else all targets of the problem.",
    )


@router.get(
    "/jobs/{job_id}/comparison",
    operation_id="get_comparison",
    responses={
        200: {"model": ComparisonAnswer},
        304: {"description": "The job has ended, so the comparison has not changed since this ETag."},
        **NO_JOB,
    },
)
async def get_comparison(
    job_id: str,
    query: Annotated[ComparisonQuery, Query()],
    request: Request,
    caller: TheCaller,
    database: TheDatabase,
    work: TheWork,
) -> Response:
    """Compare the labels of a job, with simultaneous intervals. For a job that has ended, the answer has an ETag."""
    now = await standing(database, [job_id], caller)
    headers = {"Cache-Control": "private, no-cache"}
    if now.has_ended:
        # Nothing changes any more, so the tag is known before the answer is computed.
        tag = tag_of(_question(now, query))
        if (unchanged := not_modified(request, tag)) is not None:
            return unchanged
        headers = tag_headers(tag)
    computed = await compared(job_id, query, now, request, caller, database, work)
    return Response(computed.body, headers=headers, media_type=JSON)


async def compared(
    job_id: str,
    query: ComparisonQuery,
    now: Standing,
    request: Request,
    caller: Caller,
    database: Database,
    work: Work,
) -> Computed:
    """Compare the labels of a job as JSON, in a turn of its caller; recent answers are kept."""

    def compute() -> Computed:
        with database.snapshot() as session:
            found = compare(session, lifecycle.find(session, job_id, caller), **query.model_dump())
        return Computed(json_bytes(ComparisonAnswer.model_validate(found)))

    return await work.answers.get(_question(now, query), caller.id, request, compute)


def _question(now: Standing, query: ComparisonQuery) -> str:
    return f"comparison {now.text} {query.model_dump_json()}"


@router.get(
    "/jobs/{job_id}/grid",
    operation_id="get_grid",
    responses={
        200: {"model": HeatMapAnswer},
        304: {"description": "No row was stored since this ETag."},
        **NO_JOB,
    },
)
async def get_grid(
    job_id: str,
    query: Annotated[GridQuery, Query()],
    request: Request,
    caller: TheCaller,
    database: TheDatabase,
    work: TheWork,
) -> Response:
    """Get the numbers of a heat map over two hyper-parameters, and the runs of each cell."""
    now = await standing(database, [job_id], caller)
    question = f"grid {now.text} {query.model_dump_json()}"
    tag = tag_of(question)
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged
    computed = await work.answers.get(question, caller.id, request, partial(_grid, database, job_id, query, caller))
    return Response(computed.body, headers=tag_headers(tag), media_type=JSON)


def _grid(database: Database, job_id: str, query: GridQuery, caller: Caller) -> Computed:
    with database.snapshot() as session:
        job, runs = find_job(session, job_id, caller)
        table = read_table(session, job, runs.spec)
        grid = read_heat_map(session, job, runs.spec, table, Wanted(**query.model_dump()))
    found = HeatMapAnswer(
        job_id=job_id,
        label=grid.label,
        value=query.value,
        target=grid.target,
        x=AxisAnswer(name=grid.x_name, values=grid.x.tolist()),
        y=AxisAnswer(name=grid.y_name, values=grid.y.tolist()),
        others=list(grid.others),
        values=grid.values.tolist(),
        first_run=grid.first_run_YX.tolist(),
        # Of a job that decides, the first seed: later runs of a setting do not follow it.
        runs_per_setting=table.runs.num_starts if runs.spec.decide else table.runs.per_setting,
        num_observations=grid.num_runs,
    )
    return Computed(json_bytes(found))


@router.get("/comparison", operation_id="compare_jobs", responses={200: {"model": AcrossAnswer}, **NO_JOB})
async def compare_jobs(
    query: Annotated[AcrossQuery, Query()], request: Request, caller: TheCaller, database: TheDatabase, work: TheWork
) -> Response:
    """Compare the labels that several jobs share over their problems: ranks, performance profiles, runtimes.

    The answer does not depend on the order of the jobs, and jobs with equal specs count once.
    """
    ids = list(dict.fromkeys(one.strip() for one in query.jobs.split(",") if one.strip()))
    if not 1 <= len(ids) <= MAX_JOBS:
        sentence = f"give the ids of 1 to {MAX_JOBS} jobs, comma-separated (got {len(ids)})"
        raise Rejected.at("query", "jobs", sentence)
    # The answer does not depend on the order of the jobs.
    now = await standing(database, sorted(ids), caller)

    def compute() -> Computed:
        with database.snapshot() as session:
            chosen = [lifecycle.find(session, one, caller) for one in ids]
            found = across.compare_across(session, chosen, query.target)
        return Computed(json_bytes(AcrossAnswer.model_validate(found)))

    computed = await work.answers.get(f"across {now.text} {query.target!r}", caller.id, request, compute)
    return Response(computed.body, media_type=JSON)
